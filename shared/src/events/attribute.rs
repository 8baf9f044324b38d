//! Message attributes, the same for SNS notifications and SQS messages.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    ignored::Ignored,
    json::{self, Field, fields},
};

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

/// What the attributes of a message are, in any spelling: SQS's event, `ReceiveMessage`, SNS.
///
/// One that cannot be read is left out, and noted by its name: it is no reason to refuse the message.
pub(crate) fn attributes(field: &Field<'_>, ignored: &mut Ignored) -> MessageAttributes {
    let mut attributes = MessageAttributes::new();
    for (name, json) in field.members(ignored) {
        match attribute(json) {
            Some(attribute) => {
                attributes.insert(name.into_owned(), attribute);
            }
            None => ignored.add_attribute(&name),
        }
    }
    attributes
}

fn attribute(json: &str) -> Option<MessageAttribute> {
    const NAMES: [&str; 8] =
        ["dataType", "DataType", "Type", "stringValue", "StringValue", "Value", "binaryValue", "BinaryValue"];
    let [camel_type, pascal_type, sns_type, string, pascal_string, value, binary, pascal_binary] =
        fields(json, "message attribute", NAMES).ok()?;
    let data_type = [camel_type, pascal_type, sns_type].iter().find_map(Field::quiet_text);
    let is_binary = data_type.as_deref().is_some_and(|data_type| data_type.starts_with("Binary"));
    let data_type = |default: &str| data_type.as_deref().unwrap_or(default).to_owned();
    if let Some(text) = text(&string).or_else(|| text(&pascal_string)) {
        return Some(MessageAttribute { data_type: data_type("String"), value: AttributeValue::Text(text.into()) });
    }
    let value = text(&value);
    let base64 = text(&binary).or_else(|| text(&pascal_binary)).or_else(|| value.clone().filter(|_| is_binary));
    if let Some(base64) = base64 {
        let bytes = BASE64_STANDARD.decode(base64.as_bytes()).ok()?;
        return Some(MessageAttribute { data_type: data_type("Binary"), value: AttributeValue::Binary(bytes) });
    }
    value.map(|text| MessageAttribute { data_type: data_type("String"), value: AttributeValue::Text(text.into()) })
}

fn text<'a>(field: &Field<'a>) -> Option<Cow<'a, str>> {
    field.json().and_then(json::text)
}
