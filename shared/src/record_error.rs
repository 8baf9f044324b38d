//! Why a record was not done, and whether another delivery could do it.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use crate::{
    error_chain::error_chain,
    events::{
        Notification, Record,
        json::{JsonProblem, without_mark},
    },
};

/// What a handler answers for a record that it could not do.
///
/// Any error becomes one with `?`, and is then worth another delivery. What can never succeed is rejected by name:
///
/// ```
/// # use std::time::Duration;
/// # use sluicegate::delivery::RecordError;
/// async fn register(body: &str) -> Result<(), RecordError> {
///     let donor: serde_json::Value = serde_json::from_str(body).map_err(RecordError::reject)?;
///     if donor["name"] == "busy" {
///         return Err(RecordError::retry_after(Duration::from_secs(60), "the registry asks for a minute"));
///     }
///     std::fs::metadata("/registry")?; // worth another delivery
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct RecordError {
    disposition: Disposition,
    source: Box<dyn Error + Send + Sync>,
}

/// Whether another delivery of the same message could succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It could: after this delay, or after the retry policy's.
    Retry(Option<Duration>),
    /// Not now, and through no fault of the message: it comes back after this delay, and is never given up for it.
    Later(Duration),
    /// It could not: the message goes to the dead-letter queue at once.
    Reject,
}

impl RecordError {
    /// Worth another delivery, after the policy's delay.
    pub fn retry(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Retry(None), source: source.into() }
    }

    /// Worth another delivery after a delay of the handler's own: whole seconds, at most twelve hours.
    pub fn retry_after(delay: Duration, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Retry(Some(delay)), source: source.into() }
    }

    /// Not now, and no failure: somebody else is at it, or something is not there yet.
    pub fn later(delay: Duration, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Later(delay), source: source.into() }
    }

    /// Never worth another delivery.
    pub fn reject(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Reject, source: source.into() }
    }

    /// Whether another delivery could succeed.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }
}

/// A log line and a dead letter have room for so much.
const MAX_TEXT_BYTES: usize = 1_024;

/// The error with everything that caused it, in one line, cut after a kilobyte.
impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = error_chain(self.source.as_ref());
        match text.floor_char_boundary(MAX_TEXT_BYTES) {
            end if end < text.len() => write!(f, "{}…", &text[..end]),
            _ => f.write_str(&text),
        }
    }
}

/// `?` on any error: worth another delivery. For this the type is no [`Error`] itself, as `anyhow::Error` is none.
impl<E: Error + Send + Sync + 'static> From<E> for RecordError {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}

/// Envelopes of SNS around a payload: one is usual, a few are let through.
const MAX_ENVELOPES: usize = 4;

/// The record's body as a typed payload, also inside the envelope that SNS puts around it. A body that is not one is
/// rejected, as no other delivery changes it: what is wrong is in the reason, and nothing of the body.
///
/// ```
/// # use sluicegate::{delivery::{RecordError, read_payload}, events::Record};
/// #[derive(serde::Deserialize)]
/// struct Donor {
///     name: String,
/// }
///
/// async fn register(record: &Record) -> Result<(), RecordError> {
///     let donor: Donor = read_payload(record)?;
///     println!("{} gave", donor.name);
///     Ok(())
/// }
/// ```
pub fn read_payload<T: serde::de::DeserializeOwned>(record: &Record) -> Result<T, RecordError> {
    serde_json::from_str(without_mark(&inside(record))).map_err(|error| RecordError::reject(JsonProblem::from(error)))
}

/// The record's body without the envelopes of SNS around it.
pub(crate) fn inside(record: &Record) -> Cow<'_, str> {
    let mut body = Cow::Borrowed(record.body.as_str());
    for _ in 0..MAX_ENVELOPES {
        match Notification::from_envelope(&body) {
            Some(envelope) => body = Cow::Owned(envelope.message),
            None => break,
        }
    }
    body
}
