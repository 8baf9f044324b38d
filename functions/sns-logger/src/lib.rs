//! Logs every notification of a topic: message, subject, attributes, ids and time.
//!
//! A record without a message fails the invocation when the others are logged: see [`sluicegate::notifications`]. It calls no
//! AWS service.

use serde_json::Value;
use sluicegate::{
    events::{AttributeValue, MessageAttribute, MessageAttributes, Notification},
    preview::cut,
    settings::Settings,
};

/// The function's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOGGED_MESSAGE_MAX_BYTES`, default 4,096: longer messages are cut. `CloudWatch` takes lines up to 1 MiB, and
    /// every byte is paid for.
    pub logged_message_max_bytes: usize,
}

impl Config {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        Some(Self { logged_message_max_bytes: settings.within("LOGGED_MESSAGE_MAX_BYTES", 4_096, 0..=250_000) })
    }
}

/// Logs a notification.
pub fn log(config: &Config, notification: &Notification) {
    let message = cut(&notification.message, config.logged_message_max_bytes);
    tracing::info!(
        record.message_id = notification.message_id,
        topic.arn = notification.topic_arn,
        notification.subject = notification.subject.as_deref(),
        body = message,
        notification.message_bytes = notification.message.len(),
        notification.truncated = (message.len() < notification.message.len()).then_some(true),
        notification.attributes = attributes_json(&notification.attributes).map(tracing::field::display),
        notification.published_at =
            notification.published_at.map(|time| tracing::field::display(time.format("%FT%T%.3fZ"))),
        "notification received"
    );
}

/// `{"name": "value", …}`, and nothing where there are none. Of a binary value only its size is logged.
fn attributes_json(attributes: &MessageAttributes) -> Option<Value> {
    let pair = |(name, attribute): (&String, &MessageAttribute)| {
        let value = match &attribute.value {
            AttributeValue::Text(text) => Value::from(text.as_str()),
            AttributeValue::Binary(bytes) => Value::from(format!("({} bytes)", bytes.len())),
        };
        (name.clone(), value)
    };
    (!attributes.is_empty()).then(|| attributes.iter().map(pair).collect())
}
