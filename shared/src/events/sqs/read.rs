//! Reading a queue's records, in either spelling.

use std::collections::HashMap;

use chrono::DateTime;

use super::{
    queue::Queue,
    record::{Batch, EventSource, MalformedRecord, Record},
};
use crate::events::{
    attribute::{MessageAttributes, attributes},
    ignored::Ignored,
    json::{Field, Found, fields},
};

/// How the two sources spell a record: Lambda's event, and the answer of `ReceiveMessage`.
pub(crate) struct Spelling {
    /// As errors call a record.
    pub(crate) of: &'static str,
    /// Message id, receipt handle, body, attributes, message attributes, the queue's ARN.
    pub(crate) names: [&'static str; 6],
    /// Whether the receipt handle is needed, because we delete.
    needs_handle: bool,
}

pub(crate) const MAPPING: Spelling = Spelling {
    of: "SQS record",
    names: ["messageId", "receiptHandle", "body", "attributes", "messageAttributes", "eventSourceARN"],
    needs_handle: false,
};

pub(crate) const DISPATCH: Spelling = Spelling {
    of: "dispatched message",
    names: ["MessageId", "ReceiptHandle", "Body", "Attributes", "MessageAttributes", "QueueArn"],
    needs_handle: true,
};

/// What SQS itself adds, the same in both.
const SYSTEM: [&str; 5] =
    ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId", "MessageDeduplicationId", "AWSTraceHeader"];

/// The records of a list, each by itself: a bad one must not fail its neighbours.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) records: Vec<Result<Record, MalformedRecord>>,
    pub(crate) unnamed: usize,
    /// Where the first without a name stood.
    first_unnamed: Option<usize>,
    /// The first of their ARNs that is a queue's.
    queue: Option<Queue>,
    pub(crate) ignored: Ignored,
}

impl Read {
    pub(crate) fn of(found: Vec<Found<'_, 6>>, spelling: &Spelling) -> Self {
        let mut read = Self { records: Vec::with_capacity(found.len()), ..Self::default() };
        for found in found {
            if !read.add(found, spelling) {
                read.first_unnamed.get_or_insert(read.records.len());
                read.unnamed += 1;
            }
        }
        read
    }

    /// Leaves out what is behind a record of a FIFO queue that has no name, and so perhaps in its group.
    fn in_order(mut self, queue: &Queue) -> Self {
        if let Some(first) = self.first_unnamed.filter(|_| queue.is_fifo()) {
            self.unnamed += self.records.split_off(first).len();
        }
        self
    }

    /// Whether it has a name.
    fn add(&mut self, found: Found<'_, 6>, spelling: &Spelling) -> bool {
        let of = spelling.of;
        let Ok(found) = found else { return false };
        let [message_id, receipt_handle, body, system, message_attributes, arn] = found;
        if self.queue.is_none() {
            self.queue = arn.quiet_text().and_then(|arn| Queue::from_arn(&arn).ok());
        }
        let Ok(message_id) = message_id.needed(of) else { return false };
        let system = System::read(&system, &mut self.ignored);
        let read = (|| {
            let handle = if spelling.needs_handle {
                receipt_handle.needed(of)?
            } else {
                receipt_handle.text(&mut self.ignored).unwrap_or_default()
            };
            Ok((handle, body.needed_or_empty(of)?))
        })();
        let message_id = message_id.into_owned();
        self.records.push(match read {
            Ok((handle, body)) => {
                let attributes = attributes(&message_attributes, &mut self.ignored);
                Ok(system.record(message_id, handle.into_owned(), body.into_owned(), attributes))
            }
            Err(problem) => Err(MalformedRecord {
                message_id,
                receipt_handle: receipt_handle.quiet_text().map(Into::into),
                group_id: system.group_id,
                problem,
            }),
        });
        true
    }

    /// Of a list of a mapping or a pipe.
    fn queue_of_mapping(&mut self) -> Queue {
        self.queue.take().unwrap_or_else(|| {
            self.ignored.add("eventSourceARN");
            // Only FIFO queues have deduplication ids.
            let is_fifo = self.records.iter().flatten().any(|record| record.deduplication_id.is_some());
            Queue::unknown(is_fifo)
        })
    }
}

/// The batch of a mapping or a pipe; `None` where there is no record.
pub(crate) fn mapping(found: Vec<Found<'_, 6>>) -> Option<Batch> {
    if found.is_empty() {
        return None;
    }
    let mut read = Read::of(found, &MAPPING);
    let queue = read.queue_of_mapping();
    Some(batch(EventSource::Mapping, queue, read))
}

/// The batch of a dispatch, without its times.
pub(crate) fn dispatched(queue: Queue, elements: &[&str]) -> Batch {
    let found = elements.iter().map(|element| fields(element, DISPATCH.of, DISPATCH.names)).collect();
    batch(EventSource::Dispatch, queue, Read::of(found, &DISPATCH))
}

fn batch(source: EventSource, queue: Queue, read: Read) -> Batch {
    let Read { records, unnamed, ignored, .. } = read.in_order(&queue);
    Batch { unnamed, ignored, ..Batch::new(source, queue, records) }
}

/// What SQS itself adds to a message.
#[derive(Debug, Default)]
pub(crate) struct System {
    receive_count: Option<u32>,
    sent_ms: Option<i64>,
    group_id: Option<String>,
    deduplication_id: Option<String>,
    trace_header: Option<String>,
}

impl System {
    fn read(system: &Field<'_>, ignored: &mut Ignored) -> Self {
        let [receive_count, sent, group_id, deduplication_id, trace_header] = system.fields(ignored, SYSTEM);
        Self {
            receive_count: receive_count.digits(ignored).and_then(|count| u32::try_from(count).ok()),
            sent_ms: sent.digits(ignored),
            group_id: group_id.text(ignored).map(Into::into),
            deduplication_id: deduplication_id.text(ignored).map(Into::into),
            trace_header: trace_header.text(ignored).map(Into::into),
        }
    }

    /// From the map that `ReceiveMessage` gives.
    pub(crate) fn of_map(mut attributes: HashMap<String, String>) -> Self {
        let mut take = |name: &str| attributes.remove(name).filter(|text| !text.is_empty());
        let [receive_count, sent, group_id, deduplication_id, trace_header] = SYSTEM.map(&mut take);
        Self {
            receive_count: receive_count.and_then(|count| count.parse().ok()),
            sent_ms: sent.and_then(|ms| ms.parse().ok()),
            group_id,
            deduplication_id,
            trace_header,
        }
    }

    pub(crate) fn record(
        self,
        message_id: String,
        receipt_handle: String,
        body: String,
        attributes: MessageAttributes,
    ) -> Record {
        let Self { receive_count, sent_ms, group_id, deduplication_id, trace_header } = self;
        let sent_at = sent_ms.and_then(DateTime::from_timestamp_millis);
        Record {
            message_id,
            receipt_handle,
            body,
            attributes,
            receive_count,
            sent_at,
            group_id,
            deduplication_id,
            trace_header,
        }
    }
}
