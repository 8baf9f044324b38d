//! A message in its queue.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::config::Outgoing;
use crate::{
    events::{
        AttributeValue,
        dispatch::{Message, MessageAttributeValue},
    },
    testing::{clock::EPOCH, history::Name},
};

/// One message and what its queue knows of it. Times are since the world's start.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Stable over deliveries and over SQS's own move to a dead-letter queue (C6).
    pub id: Name,
    /// What was sent.
    pub sent: Outgoing,
    /// When the first queue took it.
    pub sent_at: Duration,
    /// When this queue took it: for a moved message, when it was moved.
    pub enqueued_at: Duration,
    /// When it was first received (C7).
    pub first_received_at: Option<Duration>,
    /// Receives so far, over all queues (C1).
    pub receives: u32,
    /// When it is visible, from then on.
    pub visible_at: Duration,
    /// The queue that SQS moved it from.
    pub moved_from: Option<Name>,
    /// When the latest receive was asked for (V4).
    pub(super) asked_at: Duration,
    /// It was deleted, and that was forgotten (H4).
    pub(super) is_zombie: bool,
}

/// The account and region of every simulated world.
pub(in crate::testing) const ACCOUNT: &str = "123456789012";
/// See [`ACCOUNT`].
pub(in crate::testing) const REGION: &str = "us-east-1";

impl Stored {
    pub(super) fn is_visible(&self, now: Duration) -> bool {
        self.visible_at <= now
    }

    pub(super) fn is_in_flight(&self, now: Duration) -> bool {
        self.receives > 0 && !self.is_visible(now)
    }

    pub(super) fn group(&self) -> &str {
        self.sent.group_id.as_deref().unwrap_or_default()
    }

    /// As `ReceiveMessage` gives it, with all its attributes (B12).
    pub(super) fn as_received(&self, receipt_handle: String, place: u64, is_fifo: bool) -> Message {
        let milliseconds = |time: Duration| (EPOCH + time).as_millis().to_string();
        let mut attributes = HashMap::from(
            [
                ("ApproximateReceiveCount", self.receives.to_string()),
                ("SentTimestamp", milliseconds(self.sent_at)),
                ("SenderId", "AIDASIMULATED".to_owned()),
                ("ApproximateFirstReceiveTimestamp", milliseconds(self.first_received_at.unwrap_or(self.asked_at))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let source = self.moved_from.as_ref().map(|queue| format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"));
        for (name, value) in [
            ("MessageGroupId", self.sent.group_id.clone()),
            ("MessageDeduplicationId", self.sent.deduplication_id.clone()),
            ("AWSTraceHeader", self.sent.trace_header.clone()),
            ("SequenceNumber", is_fifo.then(|| format!("{place:020}"))),
            ("DeadLetterQueueSourceArn", source),
        ] {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        }
        Message {
            message_id: Some(self.id.to_string()),
            receipt_handle: Some(receipt_handle),
            body: Some(self.sent.body.clone()),
            attributes,
            message_attributes: self.received_attributes(),
        }
    }

    fn received_attributes(&self) -> BTreeMap<String, MessageAttributeValue> {
        let on_the_wire = |value: &AttributeValue| match value {
            AttributeValue::Text(text) => (Some(text.clone()), None),
            AttributeValue::Binary(bytes) => (None, Some(BASE64_STANDARD.encode(bytes))),
        };
        let attributes = self.sent.attributes.iter();
        attributes
            .map(|(name, attribute)| {
                let (string_value, binary_value) = on_the_wire(&attribute.value);
                let data_type = attribute.data_type.clone();
                (name.clone(), MessageAttributeValue { data_type, string_value, binary_value })
            })
            .collect()
    }
}
