//! Messages on their way to a queue: their limits, and what AWS says it received.

pub(crate) mod digest;
mod sqs;

use std::{sync::Arc, time::Duration};

use sluicegate::{
    delivery::{MAX_BATCH_BYTES, MAX_ENTRIES},
    events::{AttributeValue, MessageAttribute, MessageAttributes},
};

pub(crate) use self::sqs::{Sent, SqsPort};
use crate::batch::{Entry, Limits};

/// Of `SendMessageBatch`.
pub(crate) const LIMITS: Limits = Limits { entries: MAX_ENTRIES, bytes: MAX_BATCH_BYTES };
/// Calls for one message before its failure is final.
pub(crate) const TRIES: u32 = 4;

/// Attributes a message may carry.
pub(crate) const MAX_ATTRIBUTES: usize = 10;

/// One message to send. Copies share the body and the attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) body: Arc<str>,
    pub(crate) attributes: Arc<MessageAttributes>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) delay: Option<Duration>,
    /// The X-Ray trace it belongs to.
    pub(crate) trace_header: Option<String>,
}

/// What SQS counts: the body, and of each attribute its name, its type and its value.
impl Entry for Outgoing {
    fn bytes(&self) -> usize {
        let attribute = |(name, attribute): (&String, &MessageAttribute)| {
            name.len() + attribute.data_type.len() + value_bytes(&attribute.value).len()
        };
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }
}

impl Outgoing {
    /// Refuses what SQS would refuse.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.body.is_empty() {
            return Err("the body is empty, and SQS takes no empty message".to_owned());
        }
        if self.bytes() > MAX_BATCH_BYTES {
            return Err(format!("it has {} bytes with its attributes, and SQS takes at most 1 MiB", self.bytes()));
        }
        if let Some(c) = self.body.chars().find(|&c| !is_allowed(c)) {
            return Err(format!("the body has the character U+{:04X}, which SQS does not take", u32::from(c)));
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            return Err(format!("it has {} attributes, and SQS takes at most ten", self.attributes.len()));
        }
        Ok(())
    }
}

fn value_bytes(value: &AttributeValue) -> &[u8] {
    match value {
        AttributeValue::Text(text) => text.as_bytes(),
        AttributeValue::Binary(bytes) => bytes,
    }
}

/// What a message may be made of. See
/// [SendMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Outgoing {
        Outgoing { body: body.into(), ..Outgoing::default() }
    }

    #[test]
    fn attributes_count_with_name_type_and_value() {
        let mut message = message("body");
        let attributes = MessageAttributes::from([("JobType".to_owned(), MessageAttribute::text("NewDonor"))]);
        message.attributes = Arc::new(attributes);
        assert_eq!(message.bytes(), 4 + 7 + 6 + 8);
    }

    #[test]
    fn what_sqs_would_refuse_is_refused_here() {
        assert_eq!(message("tab\t, line\n, 漢字 and 😀").check(), Ok(()));
        assert_eq!(message(&"x".repeat(MAX_BATCH_BYTES)).check(), Ok(()));
        for (body, part) in [("", "empty"), ("a\0b", "U+0000"), ("\u{ffff}", "U+FFFF")] {
            assert!(message(body).check().unwrap_err().contains(part), "{body:?}");
        }
        assert!(message(&"x".repeat(MAX_BATCH_BYTES + 1)).check().unwrap_err().contains("1 MiB"));
    }
}
