//! Logs the messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.
//!
//! Takes the event source mapping's invocation and answers how many messages it logged and how many it refused. It calls
//! no AWS service.
//!
//! A message that cannot be read is logged as an error, and the function succeeds all the same. An Amazon MQ mapping
//! knows no partial answer: after an error the broker delivers the *whole* batch again, the good messages too, and the
//! bad one does not get better by it. From ActiveMQ Lambda takes up to six redeliveries before the broker moves all of
//! them to its dead-letter queue; RabbitMQ does not count, and goes on until a time to live or a policy of its own ends
//! it. Neither is a setting of the mapping. So the line `record refused` is where a bad message ends, with its body: keep
//! its log group, and alarm on the metric `RecordsMalformed`. An event that is no broker's at all still fails the
//! invocation: then the wiring is wrong, and nothing of it may be acknowledged.
//!
//! A function that must not lose a message copies this one, and hands what it refuses to a dead-letter queue of its own
//! before it answers.

use std::collections::BTreeMap;

use serde::Serialize;
use sluicegate::{
    events::{BrokerMessage, MalformedMessage, broker_messages},
    lambda::{Invocation, InvocationError},
    preview::{Preview, cut},
    settings::{Settings, SettingsError},
    telemetry::Metrics,
};

/// How much of a refused message's body is logged: what one line of `CloudWatch` holds, with room for the rest of it.
/// Escaped it may be longer than it is.
const MAX_REFUSED_BYTES: usize = 1_000_000;

/// The function's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOGGED_DATA_MAX_BYTES`, default 1,024: at most so much of a message's data is logged, as text or as hex, and so
    /// much of its properties.
    pub logged_data_max_bytes: usize,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let logged_data_max_bytes = settings.within("LOGGED_DATA_MAX_BYTES", 1_024, 0..=250_000);
        settings.finish(Self { logged_data_max_bytes })
    }
}

/// What the function answers. Lambda does not read it; people who invoke it by hand do.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages logged.
    pub logged: usize,
    /// Messages that could not be read.
    pub refused: usize,
}

/// Handles one invocation.
#[allow(clippy::unused_async, reason = "handlers are asynchronous; this one has nothing to wait for")]
pub async fn handle(config: &Config, event: &str, _: &Invocation) -> Result<Summary, InvocationError> {
    let event = broker_messages(event)?;
    let broker_arn = event.broker_arn.as_deref();
    event.ignored.warn();
    let mut summary = Summary::default();
    for message in event.messages {
        match message {
            Ok(message) => {
                log(config, broker_arn, &message);
                summary.logged += 1;
            }
            Err(malformed) => {
                log_refusal(broker_arn, &malformed);
                summary.refused += 1;
            }
        }
    }
    Metrics::new().batch(summary.logged + summary.refused).count("RecordsMalformed", summary.refused).emit();
    Ok(summary)
}

fn log(config: &Config, broker_arn: Option<&str>, message: &BrokerMessage) {
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

/// With its body, since the broker forgets the message.
fn log_refusal(broker_arn: Option<&str>, malformed: &MalformedMessage) {
    let MalformedMessage { queue, message_id, place, body, problem } = malformed;
    let shown = cut_escaped(body, MAX_REFUSED_BYTES);
    tracing::error!(
        record.message_id = message_id,
        record.place = message_id.is_none().then_some(place),
        broker.arn = broker_arn,
        queue.name = queue,
        %problem,
        body = shown,
        record.truncated = (shown.len() < body.len()).then_some(true),
        "record refused"
    );
}

/// The longest beginning of which no more than `max_bytes` stand in a line once JSON has escaped it.
fn cut_escaped(text: &str, max_bytes: usize) -> &str {
    let mut left = max_bytes;
    let end = text.char_indices().find(|(_, character)| {
        let bytes = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            character if character.is_control() => 6,
            // Marks that turn the writing direction are escaped as well.
            character if !character.is_ascii() => 6.max(character.len_utf8()),
            _ => 1,
        };
        left.checked_sub(bytes).map(|rest| left = rest).is_none()
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

/// `{"name": "value", …}`; nothing where there are none.
fn properties_json(properties: &BTreeMap<String, String>) -> Option<String> {
    if properties.is_empty() { None } else { serde_json::to_string(properties).ok() }
}

#[cfg(test)]
mod tests;
