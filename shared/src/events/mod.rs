//! What arrives: from the JSON on the wire to strict records.
//!
//! What a record needs is needed, and nothing else refuses it: a field that only a log line wants may be absent, null or of
//! another type, and is then noted in [`Ignored`] by its name. What is needed and not there refuses that one record, with a
//! sentence that names the field and holds no value, and the records beside it are not touched. Nothing in this module
//! reads a clock, the network or the environment.
//!
//! | source | function | gives |
//! |---|---|---|
//! | S3, in any envelope | [`read_object_events`] | [`ObjectEvent`]s with their [`Route`] |
//! | SNS | [`read_notifications`] | [`Notification`]s |
//! | SQS, a pipe, the poller's dispatch | [`read_batch`] | a [`Batch`] of [`Record`]s |
//! | EventBridge | [`read_event_bridge`] | an [`EventBridge`] event with a detail of any type |
//! | Kinesis | [`read_stream_records`] | a [`StreamBatch`] of [`StreamRecord`]s |
//! | DynamoDB Streams | [`read_table_changes`] | a [`StreamBatch`] of [`TableChange`]s |
//! | Firehose | [`read_firehose_batch`] | a [`FirehoseBatch`] of [`FirehoseRecord`]s |
//! | Amazon MQ | [`read_broker_messages`] | [`BrokerMessage`]s |
//! | a schedule, any JSON | [`read_scheduled_event`] | a [`ScheduledEvent`] |
//!
//! A folder a source, with the same files in each: `record` holds the strict types, `read` how they come to be. All of it
//! stands on one lenient reader, [`json`].

mod attribute;
mod batch;
pub mod dispatch;
mod dynamodb;
mod error;
mod eventbridge;
mod firehose;
mod foreign;
mod ignored;
pub mod json;
mod kinesis;
mod mq;
mod objects;
mod route;
mod s3;
mod schedule;
mod sns;
mod sqs;

pub use self::{
    attribute::{AttributeValue, MessageAttribute, MessageAttributes},
    batch::read_batch,
    dynamodb::{ChangeKind, Image, TableChange, read_table_changes},
    error::EventError,
    eventbridge::{EventBridge, read_event_bridge},
    firehose::{FirehoseBatch, FirehoseRecord, MalformedFirehoseRecord, read_firehose_batch},
    foreign::Foreign,
    ignored::Ignored,
    kinesis::{MalformedStreamRecord, Sequenced, Stream, StreamBatch, StreamRecord, read_stream_records},
    mq::{BrokerEvent, BrokerMessage, MalformedMessage, MessageKind, read_broker_messages},
    objects::{ObjectEvents, Refusal, TestEvent, read_object_events},
    route::{Hop, Route},
    s3::{EventKind, EventName, ObjectEvent, object_key},
    schedule::{Origin, ScheduledEvent, read_scheduled_event},
    sns::{MalformedNotification, Notification, Notifications, is_envelope, read_notifications},
    sqs::{Batch, EventSource, MalformedRecord, Queue, Record},
};
