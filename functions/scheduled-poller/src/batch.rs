//! Messages packed for the worker: as many in one invocation as fit.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use sluicegate::{
    delivery::Invoke,
    events::{
        Queue,
        dispatch::{Dispatch, Message},
    },
};

/// What an event may be at the most in AWS, where the account has today's limit.
pub(crate) const MAX_EVENT_BYTES: usize = 1_048_576;
/// What a synchronous call may be at the most.
pub(crate) const MAX_REQUEST_BYTES: usize = 6_291_456;

/// A message of so many bytes is carried by any invocation, by events of older accounts too: 256 KiB, less the frame of a
/// dispatch.
pub(crate) const ALWAYS_CARRIED: usize = 250_000;

/// One received message with its JSON, made once.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) message_id: String,
    pub(crate) receipt_handle: String,
    /// Deliveries so far; `None` where the queue did not say so.
    pub(crate) receive_count: Option<u32>,
    /// By our clock, before it was asked for.
    pub(crate) received_at: SystemTime,
    json: Box<RawValue>,
}

impl Packed {
    /// The message's id, if any, when it has none or no receipt handle: nobody could name it, or delete it. SQS sends none
    /// such.
    pub(crate) fn new(message: &Message, received_at: SystemTime) -> Result<Self, Option<String>> {
        let no_use = || message.message_id.clone();
        let (Some(message_id), Some(receipt_handle)) = (&message.message_id, &message.receipt_handle) else {
            return Err(no_use());
        };
        Ok(Self {
            receive_count: message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()),
            message_id: message_id.clone(),
            receipt_handle: receipt_handle.clone(),
            received_at,
            json: serde_json::value::to_raw_value(message).map_err(|_| no_use())?,
        })
    }

    /// Bytes it adds to a payload, attributes and escapes included.
    pub(crate) fn bytes(&self) -> usize {
        self.json.get().len() + 1
    }

    /// How long ago it was received, by this clock; never less than nothing.
    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.received_at).unwrap_or_default()
    }

    /// As it was received.
    pub(crate) fn unpacked(&self) -> Message {
        serde_json::from_str(self.json.get()).unwrap_or_default()
    }
}

/// Messages on their way to the worker, in one invocation.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Packed>,
    pub(crate) invoke: Invoke,
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// When the first of its messages was received.
    pub(crate) fn received_at(&self) -> SystemTime {
        self.messages.iter().map(|message| message.received_at).min().unwrap_or(UNIX_EPOCH)
    }

    /// The invocation's payload. `visibility` is how long the messages are invisible, where that is known.
    pub(crate) fn payload(&self, queue: &Queue, visibility: Option<Duration>) -> String {
        let messages: Vec<&RawValue> = self.messages.iter().map(|message| &*message.json).collect();
        let received_at = self.received_at().duration_since(UNIX_EPOCH).unwrap_or_default();
        let dispatch = Dispatch {
            queue_url: queue.url(),
            messages: &messages,
            received_at: u64::try_from(received_at.as_millis()).ok(),
            visibility_seconds: visibility.map(|visibility| visibility.as_secs()),
        };
        serde_json::to_string(&dispatch).unwrap_or_default()
    }

    /// Each message in a batch of its own.
    pub(crate) fn singly(self) -> impl DoubleEndedIterator<Item = Self> {
        self.messages.into_iter().map(move |message| Self { messages: vec![message], invoke: self.invoke })
    }
}

/// What a payload weighs beside its messages.
pub(crate) fn empty_bytes(queue: &Queue) -> usize {
    let empty: Dispatch<'_> = Dispatch {
        queue_url: queue.url(),
        messages: &[],
        received_at: Some(u64::MAX),
        visibility_seconds: Some(43_200),
    };
    serde_json::to_string(&empty).map_or(0, |json| json.len())
}

/// Cuts messages into batches of so many bytes. A message larger than that goes alone.
pub(crate) fn pack(messages: Vec<Packed>, invoke: Invoke, max_bytes: usize) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut room = 0;
    for message in messages {
        let bytes = message.bytes();
        match batches.last_mut() {
            Some(batch) if bytes <= room => {
                room -= bytes;
                batch.messages.push(message);
            }
            _ => {
                room = max_bytes.saturating_sub(bytes);
                batches.push(Batch { messages: vec![message], invoke });
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Packed {
        let message = Message {
            message_id: Some("m".to_owned()),
            receipt_handle: Some("h".to_owned()),
            body: Some(body.to_owned()),
            ..Message::default()
        };
        Packed::new(&message, UNIX_EPOCH + Duration::from_millis(1_800_000_000_123)).unwrap()
    }

    fn queue() -> Queue {
        Queue::from_url("https://sqs.us-east-1.amazonaws.com/1/polled").unwrap()
    }

    #[test]
    fn a_payload_is_never_larger_than_was_counted() {
        let messages: Vec<Packed> = ["{}", "\"quoted\"", "\n한글"].into_iter().map(message).collect();
        let counted = empty_bytes(&queue()) + messages.iter().map(Packed::bytes).sum::<usize>();
        let batches = pack(messages, Invoke::Event, counted);
        let payload = batches[0].payload(&queue(), Some(Duration::from_hours(12)));
        assert!(payload.len() <= counted && payload.len() + 10 > counted, "{} of {counted}", payload.len());
    }

    #[test]
    fn a_dispatch_says_when_its_messages_were_received_and_for_how_long() {
        let later = Packed { received_at: UNIX_EPOCH + Duration::from_hours(1_000_000), ..message("{}") };
        let batches = pack(vec![message("{}"), later], Invoke::Event, 1_000);
        let payload: serde_json::Value =
            serde_json::from_str(&batches[0].payload(&queue(), Some(Duration::from_mins(3)))).unwrap();
        assert_eq!(payload["receivedAt"], 1_800_000_000_123_u64);
        assert_eq!(payload["visibilitySeconds"], 180);
        assert_eq!(payload["messages"][0]["MessageId"], "m");
        let unknown: serde_json::Value = serde_json::from_str(&batches[0].payload(&queue(), None)).unwrap();
        assert!(unknown.get("visibilitySeconds").is_none(), "{unknown}");
    }

    #[test]
    fn batches_are_closed_by_bytes_and_a_giant_goes_alone() {
        let one = message("{}").bytes();
        let bodies = ["{}", "{}", "{}", &"x".repeat(100), "{}"];
        let batches = pack(bodies.into_iter().map(message).collect(), Invoke::Event, 2 * one);
        assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [2, 1, 1, 1]);
    }

    #[test]
    fn a_message_that_cannot_be_named_or_deleted_is_no_part_of_a_batch() {
        let nameless = Message { receipt_handle: Some("h".to_owned()), ..Message::default() };
        let no_handle = Message { message_id: Some("m".to_owned()), ..Message::default() };
        for message in [nameless, no_handle] {
            assert_eq!(Packed::new(&message, UNIX_EPOCH).unwrap_err(), message.message_id);
        }
    }
}
