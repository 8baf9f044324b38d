//! Who left a dead letter, by what is in it (pure).
//!
//! What a letter says of itself is a claim: whoever may write to the queue may write it. Only SQS's own attribute is none.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sluicegate::{
    delivery::{REASON, SOURCE},
    events::{MessageAttributes, Notification, Record},
};

/// Who leaves dead letters: `docs/dead-letters.md` has how each is known, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// SQS, of a message received too often
    Moved,
    /// The engine, of a message rejected or given up
    Rejected,
    /// Lambda, of a poller's dispatch: its messages stayed in their queue
    Dispatch,
    /// Lambda's on-failure destination
    Invocation,
    /// Lambda's older dead-letter setting
    Event,
    /// SNS, of a subscriber it could not reach
    Subscription,
    /// A rule of EventBridge
    Rule,
    /// EventBridge Scheduler
    Schedule,
    /// Lambda, of records that a Kinesis stream has
    Kinesis,
    /// Lambda, of records that a DynamoDB stream has
    Dynamodb,
    /// Nobody known
    Unknown,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(clap::ValueEnum::to_possible_value(self).as_ref().map_or("", |value| value.get_name()))
    }
}

/// Who left it, and what of it says where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// From the queue of this ARN. SQS says so, and nobody else can.
    Moved(String),
    /// From the queue of this ARN, as a note says.
    Rejected(String),
    /// By ARN, with its version or alias.
    Dispatch {
        function: String,
    },
    Invocation {
        function: String,
    },
    Event,
    Subscription {
        topic: String,
        subscription: Option<String>,
    },
    Rule {
        rule: String,
        target: String,
    },
    Schedule {
        schedule: String,
        target: String,
    },
    Stream(Place),
    Unknown,
}

/// Records of a stream that were given up: only the stream has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) is_kinesis: bool,
    pub(crate) function: String,
    pub(crate) stream: String,
    pub(crate) shard: String,
    pub(crate) first: String,
    pub(crate) last: String,
}

/// What Lambda leaves at a destination. See
/// [asynchronous invocations](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html) and
/// [streams](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfLambda<'a> {
    request_context: Context,
    #[serde(borrow)]
    request_payload: Option<&'a RawValue>,
    #[serde(default)]
    response_payload: Value,
    #[serde(rename = "KinesisBatchInfo")]
    kinesis: Option<Batch>,
    #[serde(rename = "DDBStreamBatchInfo")]
    dynamodb: Option<Batch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
    condition: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    stream_arn: String,
}

impl<'a> OfLambda<'a> {
    fn read(body: &'a str) -> Option<Self> {
        body.contains("\"requestContext\"").then(|| serde_json::from_str(body).ok()).flatten()
    }

    fn origin(self) -> Origin {
        let function = self.request_context.function_arn;
        let place = |is_kinesis, batch: Batch, function| {
            let Batch { shard_id: shard, start_sequence_number: first, end_sequence_number: last, stream_arn } = batch;
            Origin::Stream(Place { is_kinesis, function, stream: stream_arn, shard, first, last })
        };
        match (self.request_payload, self.kinesis, self.dynamodb) {
            (Some(payload), ..) if is_dispatch(payload.get()) => Origin::Dispatch { function },
            (Some(_), ..) => Origin::Invocation { function },
            (None, Some(batch), _) => place(true, batch, function),
            (None, None, Some(batch)) => place(false, batch, function),
            (None, None, None) => Origin::Unknown,
        }
    }
}

fn is_dispatch(payload: &str) -> bool {
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    payload["queueUrl"].is_string() && (payload["messages"].is_array() || payload["message"].is_object())
}

impl Origin {
    pub(super) fn of(record: &Record, moved_from: Option<String>) -> Self {
        let text = |name: &str| text(&record.attributes, name).map(ToOwned::to_owned);
        if let Some(source) = moved_from {
            return Self::Moved(source);
        }
        if let Some(source) = text(SOURCE) {
            return Self::Rejected(source);
        }
        if let Some(letter) = OfLambda::read(&record.body) {
            return letter.origin();
        }
        let notification = Notification::from_envelope(&record.body);
        if let Some(topic) = notification.and_then(|notification| notification.topic_arn) {
            return Self::Subscription { topic, subscription: subscription(&record.body) };
        }
        match (text("RULE_ARN"), text("SCHEDULE_ARN"), text("TARGET_ARN")) {
            (Some(rule), _, Some(target)) => Self::Rule { rule, target },
            (_, Some(schedule), Some(target)) => Self::Schedule { schedule, target },
            _ if ["RequestID", "ErrorCode", "ErrorMessage"].into_iter().all(|name| text(name).is_some()) => Self::Event,
            _ => Self::Unknown,
        }
    }

    /// What letters of one home have in common.
    pub(crate) fn claim(&self) -> Self {
        match self {
            Self::Stream(place) => {
                Self::Stream(Place { shard: String::new(), first: String::new(), last: String::new(), ..place.clone() })
            }
            other => other.clone(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Moved(_) => Kind::Moved,
            Self::Rejected(_) => Kind::Rejected,
            Self::Dispatch { .. } => Kind::Dispatch,
            Self::Invocation { .. } => Kind::Invocation,
            Self::Event => Kind::Event,
            Self::Subscription { .. } => Kind::Subscription,
            Self::Rule { .. } => Kind::Rule,
            Self::Schedule { .. } => Kind::Schedule,
            Self::Stream(Place { is_kinesis: true, .. }) => Kind::Kinesis,
            Self::Stream(_) => Kind::Dynamodb,
            Self::Unknown => Kind::Unknown,
        }
    }
}

/// Which of the topic's subscriptions: SNS ends its envelopes with how to be rid of it.
fn subscription(envelope: &str) -> Option<String> {
    let envelope: Value = serde_json::from_str(envelope).ok()?;
    let (_, arn) = envelope["UnsubscribeURL"].as_str()?.split_once("SubscriptionArn=")?;
    let arn = arn.split('&').next()?.to_owned();
    // arn:aws:sns:REGION:ACCOUNT:TOPIC:ID
    (arn.split(':').count() == 7).then_some(arn)
}

/// The event that a letter of Lambda holds, as it was.
pub(crate) fn payload(body: &str) -> Option<&str> {
    OfLambda::read(body)?.request_payload.map(RawValue::get)
}

/// Why it is dead, as whoever left it says.
pub(crate) fn reason(record: &Record) -> Option<String> {
    let text = |name: &str| text(&record.attributes, name);
    if let Some(reason) = text(REASON) {
        return Some(reason.to_owned());
    }
    let parts = if text("ERROR_CODE").is_some() {
        [text("ERROR_CODE"), text("ERROR_MESSAGE"), None].map(|part| part.map(ToOwned::to_owned))
    } else if text("ErrorMessage").is_some() {
        [text("ErrorCode"), text("ErrorMessage"), None].map(|part| part.map(ToOwned::to_owned))
    } else {
        let OfLambda { request_context: Context { condition, .. }, response_payload, .. } =
            OfLambda::read(&record.body)?;
        let answer = |name: &str| response_payload[name].as_str().map(ToOwned::to_owned);
        [condition, answer("errorType"), answer("errorMessage")]
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(parts.join(": ")).filter(|reason| !reason.is_empty())
}

fn text<'r>(attributes: &'r MessageAttributes, name: &str) -> Option<&'r str> {
    attributes.get(name)?.as_text()
}
