//! The functions, each with ports that only listen.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kinesis_logger::StreamLogger;
use s3_object_logger::ObjectLogger;
use scheduled_poller::Poller;
use sluicegate::{clock::Clock, events::dispatch::Message, idempotency::MemoryStore, random::Random};
use sqs_worker::Worker;
use thumbnailer::Thumbnailer;

use super::{
    capture::{Outcome, now, observe},
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

    /// Sends one event through the handler.
    pub(crate) fn invoke(self, event: &str) -> Outcome {
        let aws = Aws::default();
        match self {
            Self::FirehoseTransformer => {
                let config = firehose_transformer::Config::from_lookup(&settings(FIREHOSE_TRANSFORMER)).unwrap();
                observe(self.name(), &aws.calls, async |invocation| {
                    firehose_transformer::handle(&config, event, invocation).await
                })
            }
            Self::KinesisLogger => {
                let config = kinesis_logger::Config::from_lookup(&settings(&[])).unwrap();
                let logger = StreamLogger::new(config, now);
                observe(self.name(), &aws.calls, async |invocation| logger.handle(event, invocation).await)
            }
            Self::MqLogger => {
                let config = mq_logger::Config::from_lookup(&settings(&[])).unwrap();
                observe(self.name(), &aws.calls, async |invocation| mq_logger::handle(&config, event, invocation).await)
            }
            Self::ObjectLogger => {
                let config = s3_object_logger::Config::from_lookup(&settings(OBJECT_LOGGER)).unwrap();
                let logger = ObjectLogger::new(config, aws.clone(), |_table| MemoryStore::default());
                observe(self.name(), &aws.calls, async |invocation| logger.handle(event, invocation).await)
            }
            Self::Poller => {
                *aws.backlog.lock().unwrap() = backlog();
                let config = scheduled_poller::Config::from_lookup(&settings(POLLER)).unwrap();
                let poller = Poller::new(config, aws.clone(), aws.clone(), clock());
                observe(self.name(), &aws.calls, async |invocation| poller.handle(event, invocation).await)
            }
            Self::SnsLogger => {
                let config = sns_logger::Config::from_lookup(&settings(&[])).unwrap();
                observe(self.name(), &aws.calls, async |invocation| {
                    sns_logger::handle(&config, event, invocation).await
                })
            }
            Self::Thumbnailer => {
                let config = thumbnailer::Config::from_lookup(&settings(THUMBNAILER)).unwrap();
                let (world, store) = ((clock(), random()), |_table| MemoryStore::default());
                let thumbnailer = Thumbnailer::in_world(config, aws.clone(), aws.clone(), store, world);
                observe(self.name(), &aws.calls, async |invocation| thumbnailer.handle(event, invocation).await)
            }
            Self::Worker => {
                let config = sqs_worker::Config::from_lookup(&settings(WORKER)).unwrap();
                let store = |_table| MemoryStore::default();
                let worker = Worker::in_world(config, aws.clone(), store, clock(), random());
                observe(self.name(), &aws.calls, async |invocation| worker.handle(event, invocation).await)
            }
        }
    }
}

fn settings(settings: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    |name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// The time of every observation.
fn clock() -> Arc<dyn Clock> {
    Arc::new(now)
}

/// The longest of every random delay; no two tokens alike.
struct Longest(AtomicU64);

impl Random for Longest {
    fn bits(&self) -> u64 {
        u64::MAX - (self.0.fetch_add(1, Ordering::Relaxed) & 0xff)
    }
}

fn random() -> Arc<dyn Random> {
    Arc::new(Longest(AtomicU64::new(0)))
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
