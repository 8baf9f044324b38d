//! Logs every notification of a topic: message, subject, attributes, ids and time.
//!
//! Takes SNS's invocation and answers how many records it logged. A record without a message is logged as an error and does
//! not disturb the others; when these are logged the invocation fails and names it. Lambda keeps an asynchronous event only
//! if the invocation fails: it tries three times, and then the on-failure destination has the event. It calls no AWS service.

use serde::Serialize;
use serde_json::Value;
use sluicegate::{
    clock::{Clock, SystemClock},
    events::{AttributeValue, MalformedNotification, MessageAttribute, MessageAttributes, Notification, notifications},
    lambda::{Invocation, InvocationError},
    preview::cut,
    settings::{Settings, SettingsError},
    telemetry::Metrics,
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
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let logged_message_max_bytes = settings.within("LOGGED_MESSAGE_MAX_BYTES", 4_096, 0..=250_000);
        settings.finish(Self { logged_message_max_bytes })
    }
}

/// What the function answers. SNS does not read it; people who invoke it by hand do.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Notifications logged.
    pub logged: usize,
}

/// Handles one invocation.
#[allow(clippy::unused_async, reason = "handlers are asynchronous; this one has nothing to wait for")]
pub async fn handle(config: &Config, event: &str, _: &Invocation) -> Result<Summary, InvocationError> {
    let arrived_at = SystemClock.now();
    let (mut summary, mut metrics) = (Summary::default(), Metrics::new());
    let (found, mut refused) = (notifications(event)?, Vec::new());
    found.ignored.warn();
    for record in found.records {
        match record {
            Ok(notification) => {
                log(config, &notification);
                metrics = metrics.ages(notification.published_at.map(Into::into), arrived_at);
                summary.logged += 1;
            }
            Err(malformed) => {
                log_refusal(&malformed);
                refused.push(malformed);
            }
        }
    }
    metrics.batch(summary.logged + refused.len()).count("RecordsMalformed", refused.len()).emit();
    match refused.first() {
        None => Ok(summary),
        Some(first) => Err(refused_error(first, refused.len())),
    }
}

/// Names the first; each has its line.
fn refused_error(first: &MalformedNotification, refused: usize) -> InvocationError {
    let id = first.message_id.as_deref().unwrap_or("unknown");
    let topic = first.topic_arn.as_deref().unwrap_or("unknown");
    let problem = &first.problem;
    let text = format!("{refused} refused, the first message {id} of topic {topic}: {problem}");
    InvocationError::new("RecordsRefused", text)
}

fn log(config: &Config, notification: &Notification) {
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

fn log_refusal(malformed: &MalformedNotification) {
    tracing::error!(
        record.message_id = malformed.message_id,
        topic.arn = malformed.topic_arn,
        problem = %malformed.problem,
        "record refused"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_no_number_is_named() {
        let error = Config::from_lookup(&|_| Some("lots".to_owned())).unwrap_err();
        assert!(error.to_string().starts_with(r#"LOGGED_MESSAGE_MAX_BYTES is "lots""#), "{error}");
    }
}
