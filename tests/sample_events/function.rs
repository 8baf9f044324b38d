//! The functions, each with ports that only listen.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use firehose_transformer::DropRule;
use s3_object_logger::ObjectLogger;
use scheduled_poller::Poller;
use sluicegate::{
    broker::{self, BrokerMessage},
    clock::Clock,
    events::dispatch::Message,
    firehose::{self, FirehoseRecord},
    idempotency::MemoryStore,
    notifications::{self, Notification},
    queue::{QueueSettings, Worker},
    random::Random,
    settings::Settings,
    stream::{self, StreamRecord, StreamSettings},
};
use sqs_worker::Jobs;
use thumbnailer::Thumbnails;

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

const DROP_WHEN: &str = "level=debug,http.path=/health";

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
                let drop_rule = DROP_WHEN.parse::<DropRule>().unwrap();
                let clean = async |record: &FirehoseRecord<'_>, source: Option<&str>| {
                    firehose_transformer::cleaned(&drop_rule, source, record)
                };
                observe(self.name(), &aws.calls, async |invocation| {
                    firehose::handle(event, invocation.remaining.unwrap(), &clean).await
                })
            }
            Self::KinesisLogger => {
                let nothing = settings(&[]);
                let mut settings = Settings::new(&nothing);
                let stream = StreamSettings::read(&mut settings);
                let config = kinesis_logger::Config::read(&mut settings).unwrap();
                let log = async |record: &StreamRecord| {
                    config.log(&now, record);
                    Ok(())
                };
                observe(self.name(), &aws.calls, async |invocation| {
                    stream::handle(&stream, &now, event, invocation, &log).await
                })
            }
            Self::MqLogger => {
                let config = mq_logger::Config::read(&mut Settings::new(&settings(&[]))).unwrap();
                let log = async |message: &BrokerMessage, broker_arn: Option<&str>| {
                    mq_logger::log(&config, message, broker_arn);
                    Ok(())
                };
                observe(self.name(), &aws.calls, async |_| broker::handle(event, &log).await)
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
                let config = sns_logger::Config::read(&mut Settings::new(&settings(&[]))).unwrap();
                let log = async |notification: &Notification| {
                    sns_logger::log(&config, notification);
                    Ok(())
                };
                observe(self.name(), &aws.calls, async |_| notifications::handle(event, &log).await)
            }
            Self::Thumbnailer => {
                let settings = settings(THUMBNAILER);
                let (queue, config) = QueueSettings::with(&settings, thumbnailer::Config::read).unwrap();
                let work = Thumbnails::new(config, aws.clone());
                let worker = Worker::in_world(queue, work, aws.clone(), clock(), random());
                observe(self.name(), &aws.calls, async |invocation| worker.handle(event, invocation).await)
            }
            Self::Worker => {
                let (queue, jobs) = QueueSettings::with(&settings(WORKER), Jobs::read).unwrap();
                let worker = Worker::in_world(queue, jobs, aws.clone(), clock(), random());
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
