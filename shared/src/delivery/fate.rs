//! What became of a record.

use std::time::Duration;

use super::record_error::RecordError;

/// How a handler's success came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The work was done now.
    Done,
    /// It had been done by an earlier delivery.
    Duplicate,
}

/// Handlers that answer `()` did the work.
impl From<()> for Completion {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// What became of a record in this delivery.
#[derive(Debug)]
pub enum Fate {
    /// Its work is done: the message is deleted.
    Done,
    /// Its work had been done before: the message is deleted.
    Duplicate,
    /// It failed and is worth another delivery.
    Retry(RecordError),
    /// It can never succeed, or failed for the last time: it belongs in the dead-letter queue.
    Rejected(RecordError),
    /// As [`Fate::Rejected`], and already sent there: the message is deleted.
    DeadLettered(RecordError),
    /// Too little time was left to begin it: it is handed back at once.
    NotStarted,
    /// An earlier record of its message group failed: it is handed back at once, untouched.
    Blocked,
    /// Its receipt handle ran out while it was worked on, so that another consumer may have it: the work was stopped
    /// and nothing is deleted.
    Abandoned,
}

impl Fate {
    /// Whether the message is to be deleted.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Duplicate | Self::DeadLettered(_))
    }

    /// As logs and metrics name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Retry(_) => "retry",
            Self::Rejected(_) => "rejected",
            Self::DeadLettered(_) => "dead-lettered",
            Self::NotStarted => "not started",
            Self::Blocked => "blocked",
            Self::Abandoned => "abandoned",
        }
    }

    /// What went wrong, where something did.
    #[must_use]
    pub fn error(&self) -> Option<&RecordError> {
        match self {
            Self::Retry(error) | Self::Rejected(error) | Self::DeadLettered(error) => Some(error),
            Self::Done | Self::Duplicate | Self::NotStarted | Self::Blocked | Self::Abandoned => None,
        }
    }
}

/// A record's fate and how long its handler ran.
#[derive(Debug)]
pub struct Outcome {
    /// What became of it.
    pub fate: Fate,
    /// The handler's time; zero where it did not run.
    pub duration: Duration,
}

impl Outcome {
    pub(crate) fn untouched(fate: Fate) -> Self {
        Self { fate, duration: Duration::ZERO }
    }
}
