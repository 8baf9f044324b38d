//! Message attributes, the same for SNS notifications and SQS messages.

use std::collections::BTreeMap;

/// Attributes by name. At most ten on an SQS message.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// One message attribute.
///
/// See [SQS message metadata](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number`, `Binary` or `String.Array`, with the producer's own label after a dot if it set one.
    pub data_type: String,
    /// What the attribute says.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text; numbers too, which AWS sends as text and does not round.
    Text(String),
    /// Bytes, decoded from base64.
    Binary(Vec<u8>),
}

impl MessageAttribute {
    /// A `String` attribute.
    pub fn text(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), value: AttributeValue::Text(value.into()) }
    }

    /// The text of the value; `None` when it is binary.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Binary(_) => None,
        }
    }
}
