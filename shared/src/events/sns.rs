//! SNS notifications, as Lambda receives them and as a queue holds them.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use super::{
    attribute::{AttributeValue, MessageAttribute, MessageAttributes},
    error::{EventError, required},
    record::raw_records,
};

const NOTIFICATION: &str = "SNS notification";

/// One message published to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The message, stable over deliveries.
    pub message_id: String,
    /// The topic it was published to.
    pub topic_arn: String,
    /// `None` when the producer set none.
    pub subject: Option<String>,
    /// The body, at most 256 KiB unless the account raised it. May be empty only in theory: SNS refuses that.
    pub message: String,
    /// When SNS took it.
    pub published_at: DateTime<Utc>,
    /// At most what SNS takes; binary values are decoded.
    pub attributes: MessageAttributes,
}

/// Reads the event with which SNS invokes a function: each record by itself, so that a bad one leaves the rest alone.
///
/// The wire types of `aws_lambda_events` refuse the whole event when a record lacks its signature; here a notification
/// needs only what [`Notification`] holds.
/// See [Using Lambda with Amazon SNS](https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html).
pub fn notifications(event: &str) -> Result<Vec<Result<Notification, EventError>>, EventError> {
    let records = raw_records(event, "SNS event")?;
    Ok(records.into_iter().map(Notification::from_record).collect())
}

impl Notification {
    /// Reads one element of `Records[]`.
    pub(crate) fn from_record(record: &RawValue) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        #[serde(expecting = "a JSON object")]
        struct Record {
            #[serde(rename = "Sns", alias = "sns")]
            notification: Option<Wire>,
        }
        let record: Record = serde_json::from_str(record.get()).map_err(EventError::malformed("SNS record"))?;
        record.notification.ok_or_else(|| EventError::missing("SNS record", "Sns"))?.try_into()
    }

    /// Reads the envelope that SNS puts around a message in a queue. `None` when the body is something else: a user's
    /// own JSON may well have a `Message` key.
    #[must_use]
    pub fn from_envelope(body: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_str(body).ok()?;
        if wire.kind.as_deref() != Some("Notification") {
            return None;
        }
        wire.try_into().ok()
    }
}

/// The fields of interest; the signature is not checked, as Lambda and SQS take notifications only over IAM.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(rename = "Type")]
    kind: Option<String>,
    message_id: Option<String>,
    topic_arn: Option<String>,
    subject: Option<String>,
    message: Option<String>,
    timestamp: Option<DateTime<Utc>>,
    message_attributes: Option<BTreeMap<String, WireAttribute>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAttribute {
    #[serde(rename = "Type")]
    data_type: String,
    value: String,
}

impl TryFrom<Wire> for Notification {
    type Error = EventError;

    fn try_from(wire: Wire) -> Result<Self, EventError> {
        Ok(Self {
            message_id: required(wire.message_id, NOTIFICATION, "MessageId")?,
            topic_arn: required(wire.topic_arn, NOTIFICATION, "TopicArn")?,
            subject: wire.subject.filter(|subject| !subject.is_empty()),
            message: wire.message.ok_or_else(|| EventError::missing(NOTIFICATION, "Message"))?,
            published_at: wire.timestamp.ok_or_else(|| EventError::missing(NOTIFICATION, "Timestamp"))?,
            attributes: wire
                .message_attributes
                .unwrap_or_default()
                .into_iter()
                .map(|(name, attribute)| (name, attribute.into()))
                .collect(),
        })
    }
}

impl From<WireAttribute> for MessageAttribute {
    fn from(wire: WireAttribute) -> Self {
        let decoded =
            if wire.data_type.starts_with("Binary") { BASE64_STANDARD.decode(&wire.value).ok() } else { None };
        Self {
            data_type: wire.data_type,
            value: decoded.map_or(AttributeValue::Text(wire.value), AttributeValue::Binary),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:us-east-1:123456789012:t",
        "Message":"hello","Timestamp":"2026-01-02T03:04:05.678Z"}"#;

    #[test]
    fn an_envelope_needs_no_signature() {
        let notification = Notification::from_envelope(ENVELOPE).unwrap();
        assert_eq!(notification.message, "hello");
        assert_eq!(notification.subject, None);
    }

    #[test]
    fn a_users_own_json_with_a_message_key_is_no_envelope() {
        for body in [
            r#"{"Message":"hello","name":"Ada"}"#,
            r#"{"Type":"Notification","Message":"hello"}"#,
            r#"{"Type":"Letter","TopicArn":"t","MessageId":"m","Message":"hello","Timestamp":"2026-01-02T03:04:05Z"}"#,
            "not JSON",
            "[]",
        ] {
            assert_eq!(Notification::from_envelope(body), None, "{body}");
        }
    }
}
