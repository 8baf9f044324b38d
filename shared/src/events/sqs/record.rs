//! Records of a queue, strict.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::queue::Queue;
use crate::events::{attribute::MessageAttributes, error::EventError, ignored::Ignored};

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The message, stable over deliveries.
    pub message_id: String,
    /// This one receive of it: good for deleting it or changing its visibility, never a key. Empty where a mapping's event
    /// leaves it out: then its delay cannot be set.
    pub receipt_handle: String,
    /// The string as sent, at most 1 MiB.
    pub body: String,
    /// What the producer attached, at most ten.
    pub attributes: MessageAttributes,
    /// Deliveries so far, this one included; `None` where the sender of the event left it out.
    pub receive_count: Option<u32>,
    /// When SQS took the message.
    pub sent_at: Option<DateTime<Utc>>,
    /// FIFO's unit of order; on a standard queue only a hint for fairness.
    pub group_id: Option<String>,
    /// What FIFO queues drop duplicates by, for five minutes.
    pub deduplication_id: Option<String>,
    /// The X-Ray trace the producer was in.
    pub trace_header: Option<String>,
}

impl Record {
    /// A first delivery of which nothing else is known: for tests of handlers.
    ///
    /// ```
    /// use sluicegate::events::Record;
    ///
    /// let mut record = Record::new("m-1", r#"{"name": "Ada"}"#);
    /// record.receive_count = Some(3);
    /// ```
    pub fn new(message_id: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            message_id: message_id.into(),
            receipt_handle: "handle".to_owned(),
            body: body.into(),
            attributes: MessageAttributes::new(),
            receive_count: Some(1),
            sent_at: None,
            group_id: None,
            deduplication_id: None,
            trace_header: None,
        }
    }
}

/// A record that cannot be read. It is named for redelivery, so that it ends in the dead-letter queue and not nowhere.
#[derive(Debug)]
#[non_exhaustive]
pub struct MalformedRecord {
    /// Names the record in the answer.
    pub message_id: String,
    /// `None` when it is the part that is missing.
    pub receipt_handle: Option<String>,
    /// FIFO's unit of order, where it can be read: an unreadable record keeps its place in its group.
    pub group_id: Option<String>,
    /// What is wrong with it.
    pub problem: EventError,
}

/// Who invoked the function with a batch, which decides who deletes what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSource {
    /// Lambda's own poller, or a pipe of EventBridge. It deletes what the answer does not name.
    Mapping,
    /// The scheduled poller. The function deletes.
    Dispatch,
}

impl EventSource {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Dispatch => "dispatch",
        }
    }
}

/// What one invocation brings: records of one queue.
#[derive(Debug)]
pub struct Batch {
    /// Who sent it.
    pub source: EventSource,
    /// Where it came from.
    pub queue: Queue,
    /// When the messages were received, at the latest before the receive was asked for; by the receiver's clock. Known of
    /// a dispatch that says so.
    pub received_at: Option<SystemTime>,
    /// How long they are invisible from then on. Known of a dispatch that says so.
    pub visibility: Option<Duration>,
    /// In the order of the event.
    pub records: Vec<Result<Record, MalformedRecord>>,
    /// Records whose id cannot be read. They cannot be named in an answer, and what is not named is deleted: once the
    /// others are settled the invocation must fail. From a FIFO queue those behind the first of them are counted here too,
    /// since its group may be theirs.
    pub unnamed: usize,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}

impl Batch {
    /// A batch of which nothing else is known.
    #[must_use]
    pub fn new(source: EventSource, queue: Queue, records: Vec<Result<Record, MalformedRecord>>) -> Self {
        let ignored = Ignored::default();
        Self { source, queue, received_at: None, visibility: None, records, unnamed: 0, ignored }
    }
}
