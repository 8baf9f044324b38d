//! The functions, each with ports that only listen.

use std::collections::VecDeque;

use kinesis_logger::StreamLogger;
use s3_object_logger::ObjectLogger;
use scheduled_poller::Poller;
use sluicegate::{events::dispatch::Message, idempotency::MemoryStore};
use sqs_worker::Worker;
use thumbnailer::Thumbnailer;

use super::{
    capture::{capture, now},
    port::Aws,
};

/// A function of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    FirehoseTransformer,
    KinesisLogger,
    MqLogger,
    ObjectLogger,
    Poller,
    SnsLogger,
    Thumbnailer,
    Worker,
}

const FIREHOSE_TRANSFORMER: &[(&str, &str)] = &[("DROP_WHEN", "level=debug,http.path=/health")];

const OBJECT_LOGGER: &[(&str, &str)] = &[
    ("ALERT_PHONE_NUMBER", "+14155550123"),
    ("ALERT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:sluicegate-notifications"),
    ("ALERT_ROUTES", "s3-eventbridge"),
];

const POLLER: &[(&str, &str)] = &[
    ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-polled"),
    ("WORKER_FUNCTION", "sqs-worker"),
];

const THUMBNAILER: &[(&str, &str)] = &[
    ("THUMBNAIL_BUCKET", "sluicegate-thumbnails"),
    (
        "DEAD_LETTER_QUEUES",
        "sluicegate-thumbnails=https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-thumbnails-dead",
    ),
];

const WORKER: &[(&str, &str)] = &[
    ("ENABLE_DRILLS", "true"),
    (
        "DEAD_LETTER_QUEUES",
        "sluicegate-jobs=https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-jobs-dead-letters,\
         sluicegate-polled=https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-polled-dead-letters",
    ),
];

impl Function {
    /// As its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FirehoseTransformer => "firehose-transformer",
            Self::KinesisLogger => "kinesis-logger",
            Self::MqLogger => "mq-logger",
            Self::ObjectLogger => "s3-object-logger",
            Self::Poller => "scheduled-poller",
            Self::SnsLogger => "sns-logger",
            Self::Thumbnailer => "thumbnailer",
            Self::Worker => "sqs-worker",
        }
    }

    /// Sends one event through the handler; what happened, as text.
    pub(crate) fn invoke(self, event: &str) -> String {
        let aws = Aws::default();
        match self {
            Self::FirehoseTransformer => {
                let config = firehose_transformer::Config::from_lookup(&settings(FIREHOSE_TRANSFORMER)).unwrap();
                capture(self.name(), &aws.calls, async |invocation| {
                    firehose_transformer::handle(&config, event, invocation).await
                })
            }
            Self::KinesisLogger => {
                let config = kinesis_logger::Config::from_lookup(&settings(&[])).unwrap();
                let logger = StreamLogger::new(config, now);
                capture(self.name(), &aws.calls, async |invocation| logger.handle(event, invocation).await)
            }
            Self::MqLogger => {
                let config = mq_logger::Config::from_lookup(&settings(&[])).unwrap();
                capture(self.name(), &aws.calls, async |invocation| mq_logger::handle(&config, event, invocation).await)
            }
            Self::ObjectLogger => {
                let config = s3_object_logger::Config::from_lookup(&settings(OBJECT_LOGGER)).unwrap();
                let logger = ObjectLogger::new(config, aws.clone());
                capture(self.name(), &aws.calls, async |invocation| logger.handle(event, invocation).await)
            }
            Self::Poller => {
                *aws.backlog.borrow_mut() = backlog();
                let config = scheduled_poller::Config::from_lookup(&settings(POLLER)).unwrap();
                let poller = Poller::new(config, aws.clone(), aws.clone());
                capture(self.name(), &aws.calls, async |invocation| poller.handle(event, invocation).await)
            }
            Self::SnsLogger => {
                let config = sns_logger::Config::from_lookup(&settings(&[])).unwrap();
                capture(self.name(), &aws.calls, async |invocation| {
                    sns_logger::handle(&config, event, invocation).await
                })
            }
            Self::Thumbnailer => {
                let mut config = thumbnailer::Config::from_lookup(&settings(THUMBNAILER)).unwrap();
                config.queue.policy.jitter = || 1.0;
                let thumbnailer = Thumbnailer::new(config, aws.clone(), aws.clone(), |_table| MemoryStore::default());
                capture(self.name(), &aws.calls, async |invocation| thumbnailer.handle(event, invocation).await)
            }
            Self::Worker => {
                let mut config = sqs_worker::Config::from_lookup(&settings(WORKER)).unwrap();
                config.queue.policy.jitter = || 1.0;
                let worker = Worker::new(config, aws.clone(), |_table| MemoryStore::default());
                capture(self.name(), &aws.calls, async |invocation| worker.handle(event, invocation).await)
            }
        }
    }
}

fn settings(settings: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    |name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// What the poller finds in its queue.
fn backlog() -> VecDeque<Message> {
    let message = |number: u32| Message {
        message_id: Some(format!("message-{number}")),
        receipt_handle: Some(format!("handle-{number}")),
        body: Some(r#"{"name":"Ada"}"#.to_owned()),
        ..Message::default()
    };
    (1..=3).map(message).collect()
}
