//! What delivery asks of SQS and Lambda.
//!
//! Every future of a port is `Send`, so that whoever builds on one may spawn it.

use std::{fmt, future::Future, time::Duration};

use crate::events::{MessageAttributes, Queue, dispatch::Message};

/// The queue the records came from. Each call is one request and takes one to ten entries.
pub trait SourceQueue: Send + Sync {
    /// Deletes messages by receipt handle and says which were not deleted.
    fn delete(
        &self,
        queue: &Queue,
        handles: &[&str],
    ) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>> + Send;

    /// Sets how long messages stay invisible from now on, and says for which it did not work.
    fn change_visibility(
        &self,
        queue: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>> + Send;
}

/// Where rejected messages go. Each call is one request and takes one to ten entries, 1 MiB in all.
pub trait DeadLetterQueue: Send + Sync {
    /// Sends dead letters and says which were not taken. What is not named was in `Successful`.
    fn send(
        &self,
        queue_url: &str,
        dead_letters: &[DeadLetter<'_>],
    ) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>> + Send;
}

/// A queue that is received from: by the scheduled poller and by any worker of one's own.
pub trait ReceivingQueue: SourceQueue {
    /// Up to ten messages with all their attributes. One request; an empty answer to a full long poll means that the
    /// queue was empty.
    fn receive(&self, queue: &Queue, receive: &Receive)
    -> impl Future<Output = Result<Vec<Message>, CallError>> + Send;
}

/// How to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receive {
    /// 1 to 10.
    pub max_messages: usize,
    /// Time to wait for the first message: whole seconds, at most 20.
    pub wait: Duration,
    /// How long the messages stay invisible: whole seconds, at most twelve hours. `None`: as the queue says.
    pub visibility: Option<Duration>,
}

/// The longest long poll.
pub const MAX_WAIT: Duration = Duration::from_secs(20);

/// Ten messages, the longest wait, the queue's own visibility timeout.
impl Default for Receive {
    fn default() -> Self {
        Self { max_messages: MAX_ENTRIES, wait: MAX_WAIT, visibility: None }
    }
}

/// A Lambda function that is called by another.
pub trait TargetFunction: Send + Sync {
    /// Hands one JSON payload over. With [`Invoke::RequestResponse`] the call lasts as long as the function and gives its
    /// answer, with [`Invoke::Event`] it ends when Lambda has the event and gives nothing.
    fn invoke(&self, payload: &str, invoke: Invoke) -> impl Future<Output = Result<String, InvokeError>> + Send;
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invoke {
    /// Lambda takes the event and answers at once; failures are retried by Lambda and end at its own destination.
    Event,
    /// The call lasts as long as the function: its caller feels how fast it is.
    RequestResponse,
}

impl std::str::FromStr for Invoke {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Event" => Ok(Self::Event),
            "RequestResponse" => Ok(Self::RequestResponse),
            _ => Err("Event or RequestResponse"),
        }
    }
}

/// Why a function was not called, or failed: told apart by what the caller may do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It did not run, and no payload would be taken: no permission, no such function, no key, no connection.
    #[error("{0}")]
    Refused(String),
    /// It did not run: too many calls at this moment.
    #[error("{0}")]
    Throttled(String),
    /// It did not run: this payload is not taken, as a rule because it is too large.
    #[error("{0}")]
    PayloadRefused(String),
    /// It ran and failed. Its records may have been worked on.
    #[error("the function failed: {0}")]
    Failed(String),
    /// Nobody can say whether it ran: no answer, or a broken one.
    #[error("{0}")]
    Unanswered(String),
}

/// How long one message stays invisible from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibilityChange<'a> {
    /// Which receive of which message.
    pub receipt_handle: &'a str,
    /// 0 s (visible at once) to 12 h; whole seconds.
    pub timeout: Duration,
}

/// One message on its way to the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// The message it was; on a FIFO queue also what duplicates are dropped by.
    pub message_id: &'a str,
    /// As it was sent.
    pub body: &'a str,
    /// The producer's own, and why it was rejected.
    pub attributes: MessageAttributes,
    /// Kept as it was.
    pub group_id: Option<&'a str>,
    /// Kept as it was.
    pub trace_header: Option<&'a str>,
}

/// An entry of a batch call that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEntry {
    /// Its place in the call.
    pub index: usize,
    /// Why.
    pub failure: Failure,
}

/// Why an entry did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The receipt handle is no longer good: the message was deleted, or another consumer has it.
    #[error("its receipt handle is no longer valid ({0})")]
    HandleExpired(String),
    /// The service could not at this moment.
    #[error("{0}")]
    Transient(String),
    /// Not with these values, ever.
    #[error("{0}")]
    Refused(String),
}

/// A call that failed as a whole: after the SDK's own retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// Code and text of the service, or what the connection said.
    pub message: String,
    /// Whether the same call may work a little later.
    pub is_transient: bool,
}

impl CallError {
    /// A call given up because nobody answered in the time there was.
    #[must_use]
    pub fn unanswered() -> Self {
        Self { message: "no answer before the time was over".to_owned(), is_transient: true }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        if error.is_transient { Self::Transient(error.message) } else { Self::Refused(error.message) }
    }
}

impl fmt::Display for FailedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.index, self.failure)
    }
}

/// Entries a batch call of SQS takes.
pub const MAX_ENTRIES: usize = 10;
/// Bytes a batch call of SQS takes, bodies and attributes together.
pub const MAX_BATCH_BYTES: usize = 1_048_576;
