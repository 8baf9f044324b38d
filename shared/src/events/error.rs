//! Why an event, or one record of it, was refused.

use super::{
    foreign::Foreign,
    json::{JsonProblem, Kind},
    s3::object_key::KeyError,
};

/// An event or a record that is not what it should be. None of these gets better by another delivery.
///
/// No sentence here holds a value of the event: fields are named, places counted. What identity could be read of a record
/// stands beside its problem, in the refusal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The text is not JSON.
    #[error("not a valid {of}: {problem}")]
    NotJson {
        /// What was looked for.
        of: &'static str,
        /// Where and why the parser stopped.
        problem: JsonProblem,
    },
    /// JSON, but no object.
    #[error("not a valid {of}: {found}, not an object")]
    NotAnObject {
        /// What was looked for.
        of: &'static str,
        /// What it is.
        found: Kind,
    },
    /// A field that is needed is of another type.
    #[error("{field} of the {of} is {found}, not {expected}")]
    WrongType {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
        /// What it should be.
        expected: Kind,
        /// What it is.
        found: Kind,
    },
    /// A text that is needed has half of a surrogate pair in it: JSON can write it, no text can hold it.
    #[error("{field} of the {of} is not Unicode: it holds half of a character")]
    NotUnicode {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A field that is needed is absent, null or empty.
    #[error("{of} has no {field}")]
    MissingField {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A field that AWS sends in base64 is not base64.
    #[error("{field} of the {of} is not base64{}", place(*.at))]
    NotBase64 {
        /// What was looked at.
        of: &'static str,
        /// The field's name on the wire.
        field: &'static str,
        /// The byte at which the decoder stopped; `None` where it is the length that is wrong.
        at: Option<usize>,
    },
    /// The object's key cannot be decoded.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A shape that is known, and not taken here.
    #[error(transparent)]
    Foreign(Box<Foreign>),
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

impl From<Foreign> for EventError {
    fn from(foreign: Foreign) -> Self {
        Self::Foreign(Box::new(foreign))
    }
}

impl EventError {
    pub(crate) fn not_base64(of: &'static str, field: &'static str, problem: &base64::DecodeError) -> Self {
        let at = match *problem {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => Some(at),
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => None,
        };
        Self::NotBase64 { of, field, at }
    }
}

fn place(at: Option<usize>) -> String {
    at.map(|at| format!(" at byte {at}")).unwrap_or_default()
}
