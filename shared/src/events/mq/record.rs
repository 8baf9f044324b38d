//! Messages of a broker, strict.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::events::{error::EventError, ignored::Ignored};

/// One message of one queue, whichever broker held it. Only its data is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerMessage {
    /// The queue it was read from; `None` where the event does not say.
    pub queue: Option<String>,
    /// RabbitMQ's virtual host, `/` unless the mapping says otherwise; `None` from ActiveMQ.
    pub virtual_host: Option<String>,
    /// ActiveMQ always sets one, RabbitMQ only where the producer did.
    pub message_id: Option<String>,
    /// Where it stands among those of its queue in the event, from 1 on: its name where it has no id.
    pub place: usize,
    /// What it answers or belongs to, where the producer says so.
    pub correlation_id: Option<String>,
    /// The bytes as sent, which need not be text. May be none.
    pub body: Vec<u8>,
    /// Whether the producer sent text or bytes.
    pub kind: MessageKind,
    /// As the producer declared it; `None` from ActiveMQ.
    pub content_type: Option<String>,
    /// 0 to 9 from ActiveMQ, 0 to 255 from RabbitMQ, where null is common.
    pub priority: Option<u8>,
    /// Whether the broker has delivered it before: the invocation then failed, or ran out of time.
    pub is_redelivered: bool,
    /// When it was sent. `None` where the producer did not say; RabbitMQ itself never does.
    pub sent_at: Option<DateTime<Utc>>,
    /// ActiveMQ's properties, RabbitMQ's headers: text as it is, other values as JSON in which bytes at any depth are
    /// text, or hex where they are none.
    pub properties: BTreeMap<String, String>,
}

/// What a message was sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// A JMS `TextMessage`.
    Text,
    /// A JMS `BytesMessage`, and everything from RabbitMQ: AMQP knows bytes only.
    Bytes,
}

impl MessageKind {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// A message that cannot be read. There is no answer it could be named in, and the broker forgets it: whoever reads it
/// keeps its body.
#[derive(Debug)]
pub struct MalformedMessage {
    /// Where it was read from, if that can be told.
    pub queue: Option<String>,
    /// Its id, if that can be told.
    pub message_id: Option<String>,
    /// Where it stands among those of its queue in the event, from 1 on.
    pub place: usize,
    /// Its data as it came, and where it has none all of it, as JSON.
    pub body: Box<str>,
    /// What is wrong with it.
    pub problem: EventError,
}

/// What one invocation brings: messages of one broker.
#[derive(Debug)]
#[non_exhaustive]
pub struct BrokerEvent {
    /// The broker; `None` only where somebody wrote the event by hand.
    pub broker_arn: Option<String>,
    /// Queue by queue, each in the broker's order.
    pub messages: Vec<Result<BrokerMessage, MalformedMessage>>,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}
