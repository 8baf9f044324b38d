//! A notification, strict.

use chrono::{DateTime, Utc};

use crate::events::{attribute::MessageAttributes, error::EventError, ignored::Ignored};

/// One message published to a topic. Only the message itself is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The message, stable over deliveries.
    pub message_id: Option<String>,
    /// The topic it was published to.
    pub topic_arn: Option<String>,
    /// `None` when the producer set none.
    pub subject: Option<String>,
    /// The body, at most 256 KiB unless the account raised it. A message that came as something other than a text is here
    /// as its JSON.
    pub message: String,
    /// When SNS took it.
    pub published_at: Option<DateTime<Utc>>,
    /// At most what SNS takes; binary values are decoded.
    pub attributes: MessageAttributes,
}

/// A record without a message.
#[derive(Debug)]
pub struct MalformedNotification {
    /// The message, where it can be told.
    pub message_id: Option<String>,
    /// The topic, where it can be told.
    pub topic_arn: Option<String>,
    /// What is wrong with it.
    pub problem: EventError,
}

/// What one invocation brings.
#[derive(Debug)]
#[non_exhaustive]
pub struct Notifications {
    /// In the order of the event.
    pub records: Vec<Result<Notification, MalformedNotification>>,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}
