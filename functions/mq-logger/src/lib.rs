//! Logs the messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.
//!
//! A message that cannot be read is a line with its body, and the function succeeds all the same: see
//! [`sluicegate::broker`]. It calls no AWS service.
//!
//! A function that must not lose a message copies this one, and hands what it refuses to a dead-letter queue of its own
//! before it answers.

use std::collections::BTreeMap;

use sluicegate::{
    events::BrokerMessage,
    preview::{Preview, cut},
    settings::Settings,
};

/// The function's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOGGED_DATA_MAX_BYTES`, default 1,024: at most so much of a message's data is logged, as text or as hex, and so
    /// much of its properties.
    pub logged_data_max_bytes: usize,
}

impl Config {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        Some(Self { logged_data_max_bytes: settings.within("LOGGED_DATA_MAX_BYTES", 1_024, 0..=250_000) })
    }
}

/// Logs a message.
pub fn log(config: &Config, message: &BrokerMessage, broker_arn: Option<&str>) {
    let max_bytes = config.logged_data_max_bytes;
    let preview = Preview::of(&message.body, max_bytes);
    let properties = properties_json(&message.properties);
    tracing::info!(
        record.message_id = message.message_id,
        record.place = message.message_id.is_none().then_some(message.place),
        broker.arn = broker_arn,
        queue.name = message.queue,
        queue.virtual_host = message.virtual_host,
        record.correlation_id = message.correlation_id,
        record.redelivered = message.is_redelivered.then_some(true),
        record.priority = message.priority,
        record.kind = message.kind.as_str(),
        record.content_type = message.content_type,
        record.sent_at = message.sent_at.map(|time| tracing::field::display(time.format("%FT%T%.3fZ"))),
        record.properties = properties.as_deref().map(|json| cut(json, max_bytes)),
        body = &*preview.shown,
        record.data_bytes = message.body.len(),
        record.data_encoding = preview.encoding.as_str(),
        record.truncated = preview.is_truncated.then_some(true),
        "broker message received"
    );
}

/// `{"name": "value", …}`; nothing where there are none.
fn properties_json(properties: &BTreeMap<String, String>) -> Option<String> {
    if properties.is_empty() { None } else { serde_json::to_string(properties).ok() }
}
