//! What a queue is told when it is made, and what it is sent.

use std::time::Duration;

use crate::{
    delivery::DeadLetter,
    events::{AttributeValue, MessageAttribute, MessageAttributes},
};

/// A queue's attributes, with SQS's own defaults.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Ends with `.fifo` for a FIFO queue.
    pub name: String,
    /// How long a received message stays hidden (V1): 0 s to 12 h.
    pub visibility: Duration,
    /// How long a message is kept (C9): 60 s to 14 days.
    pub retention: Duration,
    /// How long a new message is hidden (D1): 0 to 15 min.
    pub delay: Duration,
    /// Bytes a message has at most (B5), attributes included: 1,024 to 1,048,576.
    pub max_message_bytes: usize,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// F12: a FIFO message without a deduplication id gets the hash of its body.
    pub content_based_deduplication: bool,
    /// F10: a deduplication id counts in its group, and not in the whole queue (F9).
    pub deduplication_by_group: bool,
    /// Messages in flight at most (P6, P7).
    pub in_flight_limit: usize,
}

/// A redrive policy.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The dead-letter queue's name.
    pub dead_letter_queue: String,
    /// Receives allowed (C5): 1 to 1,000.
    pub max_receive_count: u32,
}

impl QueueConfig {
    /// A queue of this name, the rest as SQS has it: visibility 30 s, retention 4 days, 1 MiB.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visibility: Duration::from_secs(30),
            retention: Duration::from_hours(96),
            delay: Duration::ZERO,
            max_message_bytes: 1_048_576,
            redrive: None,
            content_based_deduplication: false,
            deduplication_by_group: false,
            in_flight_limit: 120_000,
        }
    }

    /// The same with a redrive policy.
    #[must_use]
    pub fn redriven_to(mut self, dead_letter_queue: &str, max_receive_count: u32) -> Self {
        self.redrive = Some(Redrive { dead_letter_queue: dead_letter_queue.to_owned(), max_receive_count });
        self
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }
}

/// A message as a producer sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The text.
    pub body: String,
    /// At most ten.
    pub attributes: MessageAttributes,
    /// Needed on a FIFO queue.
    pub group_id: Option<String>,
    /// What a FIFO queue drops duplicates by, for five minutes.
    pub deduplication_id: Option<String>,
    /// Instead of the queue's delay (D1); on a FIFO queue only the queue has one (D3).
    pub delay: Option<Duration>,
    /// `AWSTraceHeader`.
    pub trace_header: Option<String>,
}

/// A message without anything but its body.
impl From<&str> for Outgoing {
    fn from(body: &str) -> Self {
        Self { body: body.to_owned(), ..Self::default() }
    }
}

impl Outgoing {
    /// A message of a FIFO queue.
    #[must_use]
    pub fn in_group(body: &str, group_id: &str, deduplication_id: &str) -> Self {
        let some = |text: &str| Some(text.to_owned());
        Self { group_id: some(group_id), deduplication_id: some(deduplication_id), ..Self::from(body) }
    }

    /// A dead letter as the adapter sends it: on a FIFO queue the message's own id is its deduplication id.
    pub(super) fn of_dead_letter(dead_letter: &DeadLetter<'_>, is_fifo: bool) -> Self {
        let group_id = dead_letter.group_id.or(is_fifo.then_some(dead_letter.message_id));
        Self {
            body: dead_letter.body.to_owned(),
            attributes: dead_letter.attributes.clone(),
            group_id: group_id.map(str::to_owned),
            deduplication_id: is_fifo.then(|| dead_letter.message_id.to_owned()),
            delay: None,
            trace_header: dead_letter.trace_header.map(str::to_owned),
        }
    }

    /// What counts against the size limits (B1): the trace header does not (B11).
    pub(super) fn bytes(&self) -> usize {
        let of_one = |(name, attribute): (&String, &MessageAttribute)| {
            let value = match &attribute.value {
                AttributeValue::Text(text) => text.len(),
                AttributeValue::Binary(bytes) => bytes.len(),
            };
            name.len() + attribute.data_type.len() + value
        };
        self.body.len() + self.attributes.iter().map(of_one).sum::<usize>()
    }

    /// Whether SQS takes the message: else its code and text.
    pub(super) fn check(&self, config: &QueueConfig) -> Result<(), String> {
        // B4.
        if self.bytes() > config.max_message_bytes {
            return Err("InvalidParameterValue: the message is larger than the queue's MaximumMessageSize".to_owned());
        }
        // B7.
        if self.body.is_empty() || !self.body.chars().all(is_sent) {
            return Err("InvalidMessageContents: invalid characters found".to_owned());
        }
        // B8.
        if self.attributes.len() > 10 {
            return Err(
                "InvalidParameterValue: number of message attributes exceeds the allowed maximum [10]".to_owned()
            );
        }
        for (name, attribute) in &self.attributes {
            if !is_name(name) || !is_attribute(attribute) {
                return Err(format!("InvalidParameterValue: the message attribute '{name}' is not valid"));
            }
        }
        let is_id = |id: &Option<String>| {
            id.as_deref()
                .is_none_or(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        };
        // F13, Q5.
        if !is_id(&self.group_id) || !is_id(&self.deduplication_id) {
            return Err("InvalidParameterValue: MessageGroupId or MessageDeduplicationId is not valid".to_owned());
        }
        // D1, D3.
        if self.delay.is_some_and(|delay| delay > Duration::from_mins(15) || config.is_fifo() && !delay.is_zero()) {
            return Err("InvalidParameterValue: DelaySeconds is not valid for this queue type".to_owned());
        }
        Ok(())
    }
}

/// B7: `#x9 #xA #xD #x20–#xD7FF #xE000–#xFFFD #x10000–#x10FFFF`.
fn is_sent(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// B8.
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let lower = name.to_ascii_lowercase();
    (1..=256).contains(&name.len())
        && name.bytes().all(is_allowed)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.")
}

/// B9.
fn is_attribute(attribute: &MessageAttribute) -> bool {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let is_kind = attribute.data_type.len() <= 256;
    is_kind
        && match (kind, &attribute.value) {
            ("String", AttributeValue::Text(text)) => !text.is_empty() && text.chars().all(is_sent),
            ("Number", AttributeValue::Text(text)) => {
                text.parse::<f64>().is_ok_and(f64::is_finite) && text.bytes().filter(u8::is_ascii_digit).count() <= 38
            }
            ("Binary", AttributeValue::Binary(bytes)) => !bytes.is_empty(),
            _ => false,
        }
}
