//! Everything that happened.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::faults::{Fault, Operation};

/// The name of a queue, message, host, function or table.
pub type Name = Arc<str>;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, since the world's start.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// How good a receipt handle was when it was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// Of the latest receive, and the message was still hidden by it.
    Current,
    /// Of the latest receive, but its visibility timeout was over.
    Expired,
    /// Of an older receive: somebody else has received the message since.
    Old,
}

/// How far a handler's work on one record came. Recorded by [`super::Host::work`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// It began.
    Began,
    /// It was done: its effect is there.
    Succeeded,
    /// It failed.
    Failed,
    /// It was stopped before its end: by its deadline, or because its process died.
    Dropped,
}

/// What became of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It answered.
    Answered,
    /// It ended with an error, or panicked.
    Failed,
    /// It was killed at its time-out.
    TimedOut,
    /// Its process died.
    Killed,
}

/// What an idempotency store did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreStep {
    /// Granted a claim.
    Granted,
    /// Refused a claim: the effect is there.
    AlreadyDone,
    /// Refused a claim: somebody else holds one.
    InProgress,
    /// Recorded an effect as done.
    Completed,
    /// Released a claim.
    Released,
    /// Set a lease.
    LeaseSet,
    /// Counted a failed try.
    TryCounted,
    /// Took a counted try back.
    TryTakenBack,
    /// Did nothing: the claim was no longer its owner's.
    Lost,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the same throughout: which queue, which message, by which host")]
pub enum What {
    /// A queue took a message.
    Sent { queue: Name, message: Name, by: Name, group: Option<Name> },
    /// A FIFO queue took a message and dropped it as a duplicate of another.
    Deduplicated { queue: Name, of: Name, by: Name },
    /// A queue gave a message out: the receive of this count, counted from 1.
    Received { queue: Name, message: Name, by: Name, count: u32, visibility: Duration, while_in_flight: bool },
    /// SQS moved a message, at the receive after the last allowed.
    Moved { queue: Name, message: Name, to: Name },
    /// A message was deleted.
    Deleted { queue: Name, message: Name, by: Name, handle: Handle },
    /// A delete was answered with 200 or an error, and the message stays.
    NotDeleted { queue: Name, message: Name, by: Name, handle: Handle },
    /// From now on a message is invisible for so long.
    VisibilityChanged { queue: Name, message: Name, by: Name, visibility: Duration, handle: Handle },
    /// A dead letter was taken: `message` is the one it was made of, `dead_letter` the one it is.
    DeadLetterSent { queue: Name, message: Name, dead_letter: Name, by: Name },
    /// A message was older than its queue keeps messages.
    Expired { queue: Name, message: Name },
    /// A forgotten delete: the message is received again.
    CameBack { queue: Name, message: Name },
    /// An invocation began in a process. `messages`: those of a mapping's batch.
    Started { process: Name, invocation: u64, messages: Vec<Name> },
    /// An invocation ended.
    Ended { process: Name, invocation: u64, end: End },
    /// A function was throttled.
    Throttled { function: Name },
    /// An asynchronous event was given up; its destination took it or not.
    GivenUp { function: Name, is_kept: bool },
    /// A handler's work on a record.
    Work { message: Name, by: Name, work: Work },
    /// A store did something.
    Stored { key: Name, by: Name, step: StoreStep },
    /// A fault was injected into a call.
    Fault { by: Name, operation: Operation, target: Name, fault: Fault },
    /// What a scenario says.
    Note { by: Name, text: String },
}

impl What {
    /// Whether this is about the message of this id.
    #[must_use]
    pub fn is_about(&self, id: &str) -> bool {
        match self {
            Self::Sent { message, .. }
            | Self::Received { message, .. }
            | Self::Moved { message, .. }
            | Self::Deleted { message, .. }
            | Self::NotDeleted { message, .. }
            | Self::VisibilityChanged { message, .. }
            | Self::Expired { message, .. }
            | Self::CameBack { message, .. }
            | Self::Work { message, .. } => &**message == id,
            Self::Deduplicated { of, .. } => &**of == id,
            Self::DeadLetterSent { message, dead_letter, .. } => &**message == id || &**dead_letter == id,
            Self::Started { messages, .. } => messages.iter().any(|message| &**message == id),
            Self::Stored { key, .. } => key.contains(id),
            Self::Ended { .. }
            | Self::Throttled { .. }
            | Self::GivenUp { .. }
            | Self::Fault { .. }
            | Self::Note { .. } => false,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { queue, message, by, group: None } => write!(f, "{message} sent to {queue} by {by}"),
            Self::Sent { queue, message, by, group: Some(group) } => {
                write!(f, "{message} sent to {queue}, group {group}, by {by}")
            }
            Self::Deduplicated { queue, of, by } => write!(f, "{of} sent again to {queue} by {by}: dropped"),
            Self::Received { queue, message, by, count, visibility, while_in_flight } => {
                let twice = if *while_in_flight { ", while another holds it" } else { "" };
                write!(f, "{message} received from {queue} by {by}, receive {count}, for {visibility:?}{twice}")
            }
            Self::Moved { queue, message, to } => write!(f, "{message} moved from {queue} to {to} by SQS"),
            Self::Deleted { queue, message, by, handle } => {
                write!(f, "{message} deleted from {queue} by {by}, handle {handle:?}")
            }
            Self::NotDeleted { queue, message, by, handle } => {
                write!(f, "{message} not deleted from {queue} by {by}, handle {handle:?}")
            }
            Self::VisibilityChanged { queue, message, by, visibility, handle } => {
                write!(f, "{message} in {queue} invisible for {visibility:?} by {by}, handle {handle:?}")
            }
            Self::DeadLetterSent { queue, message, dead_letter, by } => {
                write!(f, "{message} sent to {queue} as {dead_letter} by {by}")
            }
            Self::Expired { queue, message } => write!(f, "{message} expired in {queue}"),
            Self::CameBack { queue, message } => write!(f, "{message} came back in {queue} though deleted"),
            Self::Started { process, invocation, messages } if messages.is_empty() => {
                write!(f, "invocation {invocation} began in {process}")
            }
            Self::Started { process, invocation, messages } => {
                write!(f, "invocation {invocation} began in {process}: {}", messages.join(" "))
            }
            Self::Ended { process, invocation, end } => write!(f, "invocation {invocation} in {process}: {end:?}"),
            Self::Throttled { function } => write!(f, "{function} throttled"),
            Self::GivenUp { function, is_kept } => write!(f, "event for {function} given up, kept: {is_kept}"),
            Self::Work { message, by, work } => write!(f, "{message}: work {work:?} in {by}"),
            Self::Stored { key, by, step } => write!(f, "{key}: {step:?} for {by}"),
            Self::Fault { by, operation, target, fault } => {
                write!(f, "{operation:?} of {target} by {by}: {fault:?}")
            }
            Self::Note { by, text } => write!(f, "{by}: {text}"),
        }
    }
}

/// One line of a timeline: `0:01:30.250  jobs-1 sent to jobs by test`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milliseconds) = (self.at.as_secs(), self.at.subsec_millis());
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{hours}:{minutes:02}:{seconds:02}.{milliseconds:03}  {}", self.what)
    }
}

/// Grows, and is never changed.
#[derive(Debug, Default)]
pub(super) struct History {
    events: Mutex<Vec<Event>>,
    pub(super) changed: Notify,
}

impl History {
    pub(super) fn add(&self, at: Duration, what: What) {
        self.events().push(Event { at, what });
        self.changed.notify_waiters();
    }

    pub(super) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events that are about one message, or all, one a line.
#[must_use]
pub fn timeline(events: &[Event], message: Option<&str>) -> String {
    let wanted = events.iter().filter(|event| message.is_none_or(|id| event.what.is_about(id)));
    wanted.map(Event::to_string).collect::<Vec<_>>().join("\n")
}
