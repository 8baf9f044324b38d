//! Why an event, or one record of it, was refused.

use super::object_key::KeyError;

/// An event or a record that is not what it should be. None of these gets better by another delivery.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The text is not JSON, or a field has another type than AWS documents.
    #[error("not a valid {expected}: {source}")]
    Malformed {
        /// What was looked for.
        expected: &'static str,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// A field that AWS always sends is absent, null or empty.
    #[error("{of} has no {field}")]
    MissingField {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A field that AWS sends in base64 is not base64.
    #[error("{field} of the {of} is not base64: {problem}")]
    NotBase64 {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
        /// Where and why the decoder stopped.
        problem: base64::DecodeError,
    },
    /// The object's key cannot be decoded.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// JSON, but no shape this reader knows.
    #[error("not a shape this function knows: expected {expected}")]
    UnknownShape {
        /// The shapes that would have been taken.
        expected: &'static str,
    },
    /// Envelopes inside envelopes, more than any route in AWS makes.
    #[error("more than {limit} envelopes around the event")]
    TooDeep {
        /// How many are peeled.
        limit: usize,
    },
}

impl EventError {
    pub(crate) fn malformed(expected: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Malformed { expected, source }
    }

    pub(crate) fn missing(of: &'static str, field: &'static str) -> Self {
        Self::MissingField { of, field }
    }
}

/// The value of a field that must be there and not empty.
pub(crate) fn required(value: Option<String>, of: &'static str, field: &'static str) -> Result<String, EventError> {
    value.filter(|text| !text.is_empty()).ok_or_else(|| EventError::missing(of, field))
}
