//! Messages packed for the worker: as many in one invocation as fit.

use serde_json::value::RawValue;
use sluicegate::events::{
    Queue,
    dispatch::{Dispatch, Message},
};

/// What an event may be at the most in AWS, where the account has today's limit.
pub(crate) const MAX_EVENT_BYTES: usize = 1_048_576;
/// What a synchronous call may be at the most.
pub(crate) const MAX_REQUEST_BYTES: usize = 6_291_456;

/// Messages on their way to the worker, in one invocation.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    messages: Vec<Box<RawValue>>,
    handles: Vec<String>,
    bytes: usize,
}

/// One received message with its JSON, made once.
#[derive(Debug)]
pub(crate) struct Packed {
    json: Box<RawValue>,
    handle: String,
}

impl Packed {
    /// `None` for a message without a receipt handle, which could never be deleted; SQS sends none such.
    pub(crate) fn new(message: &Message) -> Option<Self> {
        let json = serde_json::value::to_raw_value(message).ok()?;
        Some(Self { json, handle: message.receipt_handle.clone()? })
    }

    /// Bytes it adds to a payload, attributes and escapes included.
    pub(crate) fn bytes(&self) -> usize {
        self.json.get().len() + 1
    }
}

impl Parcel {
    /// Bytes of the payload with no message in it.
    pub(crate) fn empty_bytes(queue: &Queue) -> usize {
        let empty: Dispatch<'_> = Dispatch { queue_url: queue.url(), messages: &[] };
        serde_json::to_string(&empty).map_or(0, |json| json.len())
    }

    /// Whether one more message stays within the limits. An empty parcel takes any message.
    pub(crate) fn has_room_for(&self, message: &Packed, max_messages: usize, max_bytes: usize) -> bool {
        self.messages.is_empty()
            || (self.messages.len() < max_messages && self.bytes.saturating_add(message.bytes()) <= max_bytes)
    }

    pub(crate) fn add(&mut self, message: Packed) {
        self.bytes += message.bytes();
        self.messages.push(message.json);
        self.handles.push(message.handle);
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The invocation's payload.
    pub(crate) fn payload(&self, queue: &Queue) -> String {
        let dispatch = Dispatch { queue_url: queue.url(), messages: &self.messages };
        serde_json::to_string(&dispatch).unwrap_or_default()
    }

    pub(crate) fn handles(&self) -> Vec<&str> {
        self.handles.iter().map(String::as_str).collect()
    }
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
        Packed::new(&message).unwrap()
    }

    #[test]
    fn the_bytes_counted_are_the_bytes_sent() {
        let queue = Queue::from_url("https://sqs.us-east-1.amazonaws.com/1/polled").unwrap();
        let mut parcel = Parcel::default();
        for body in ["{}", "\"quoted\"", "\n한글"] {
            parcel.add(message(body));
        }
        // One byte a message stands for the comma, and the last message has none.
        assert_eq!(parcel.payload(&queue).len(), Parcel::empty_bytes(&queue) + parcel.bytes - 1);
    }

    #[test]
    fn a_parcel_is_closed_by_count_or_by_bytes() {
        let mut parcel = Parcel::default();
        parcel.add(message("{}"));
        let one = parcel.bytes;
        assert!(parcel.has_room_for(&message("{}"), 2, 2 * one));
        assert!(!parcel.has_room_for(&message("{}"), 1, 2 * one));
        assert!(!parcel.has_room_for(&message("{}"), 2, 2 * one - 1));
        assert!(Parcel::default().has_room_for(&message("larger than the limit"), 2, 1));
    }
}
