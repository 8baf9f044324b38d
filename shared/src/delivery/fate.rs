//! What became of a record.

use crate::record_error::RecordError;

/// What became of a record in this delivery.
///
/// | fate | what happened | a failed try | away for |
/// |---|---|---|---|
/// | `Done`, `Duplicate` | worked, or worked before | – | final: deleted |
/// | `Retry` | the work failed or panicked; it took longer than a whole invocation; it cannot be read | yes | back-off, or the delay it named |
/// | `Rejected` | never worth another try | – | its dead letter, then final |
/// | `GivenUp` | a failed try that was the last | – | its dead letter, then final |
/// | `Waiting` | in progress elsewhere, or the store could not be asked | no | the rest of that lease |
/// | `OutOfTime` | begun later than the invocation and stopped by its deadline | no | the first back-off |
/// | `NotStarted`, `Blocked` | no time left; an earlier record of its group is open | no | 0 |
/// | `Abandoned` | its handle's time was over: FIFO only, where another consumer must not find its work half done | no | – |
#[derive(Debug)]
#[non_exhaustive]
pub enum Fate {
    /// Its work is done: the message is deleted.
    Done,
    /// Its work had been done before: the message is deleted.
    Duplicate,
    /// It failed and is worth another delivery. Also a rejected record whose dead letter was not taken.
    Retry(RecordError),
    /// It can never succeed. The dead-letter queue has it, and the message is deleted.
    Rejected(RecordError),
    /// It failed for the last time. The dead-letter queue has it, and the message is deleted.
    GivenUp(RecordError),
    /// Not now, and through no fault of its own.
    Waiting(RecordError),
    /// It was begun with part of the invocation's time and stopped at its end.
    OutOfTime,
    /// Too little time was left to begin it.
    NotStarted,
    /// An earlier record of its message group is open.
    Blocked,
    /// Its receipt handle ran out, so that another consumer may have it: the work was stopped.
    Abandoned,
}

impl Fate {
    /// Whether the message is to be deleted.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Duplicate | Self::Rejected(_) | Self::GivenUp(_))
    }

    /// Whether it counts as failed, in logs, metrics and answers.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Rejected(_) | Self::GivenUp(_))
    }

    /// As logs and metrics name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Retry(_) => "retry",
            Self::Rejected(_) => "rejected",
            Self::GivenUp(_) => "given up",
            Self::Waiting(_) => "waiting",
            Self::OutOfTime => "out of time",
            Self::NotStarted => "not started",
            Self::Blocked => "blocked",
            Self::Abandoned => "abandoned",
        }
    }

    /// What went wrong, where something did.
    #[must_use]
    pub fn error(&self) -> Option<&RecordError> {
        match self {
            Self::Retry(error) | Self::Rejected(error) | Self::GivenUp(error) | Self::Waiting(error) => Some(error),
            Self::Done | Self::Duplicate | Self::OutOfTime | Self::NotStarted | Self::Blocked | Self::Abandoned => None,
        }
    }
}
