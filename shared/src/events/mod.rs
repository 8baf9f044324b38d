//! What arrives: from the JSON on the wire to strict records.
//!
//! What a record needs is needed, and nothing else refuses it: a field that only a log line wants may be absent, null or of
//! another type, and is then noted in [`Ignored`] by its name. What is needed and not there refuses that one record, with a
//! sentence that names the field and holds no value, and the records beside it are not touched. Nothing in this module
//! reads a clock, the network or the environment.
//!
//! | source | function | gives |
//! |---|---|---|
//! | S3, in any envelope | [`object_events`] | [`ObjectEvent`]s with their [`Route`] |
//! | SNS | [`notifications`] | [`Notification`]s |
//! | SQS, a pipe, the poller's dispatch | [`batch`] | a [`Batch`] of [`Record`]s |
//! | EventBridge | [`event_bridge`] | an [`EventBridge`] event with a detail of any type |
//! | Kinesis | [`stream_records`] | a [`StreamBatch`] of [`StreamRecord`]s |
//! | DynamoDB Streams | [`table_changes`] | a [`StreamBatch`] of [`TableChange`]s |
//! | Firehose | [`firehose_batch`] | a [`FirehoseBatch`] of [`FirehoseRecord`]s |
//! | Amazon MQ | [`broker_messages`] | [`BrokerMessage`]s |
//! | a schedule, any JSON | [`tick`] | a [`Tick`] |
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
    batch::batch,
    dynamodb::{ChangeKind, Image, TableChange, table_changes},
    error::EventError,
    eventbridge::{EventBridge, event_bridge},
    firehose::{FirehoseBatch, FirehoseRecord, MalformedFirehoseRecord, firehose_batch},
    foreign::Foreign,
    ignored::Ignored,
    kinesis::{MalformedStreamRecord, Sequenced, Stream, StreamBatch, StreamRecord, stream_records},
    mq::{BrokerEvent, BrokerMessage, MalformedMessage, MessageKind, broker_messages},
    objects::{ObjectEvents, Refusal, TestEvent, object_events},
    route::{Hop, Route},
    s3::{EventKind, EventName, ObjectEvent, object_key},
    schedule::{Origin, Tick, tick},
    sns::{MalformedNotification, Notification, Notifications, is_envelope, notifications},
    sqs::{Batch, Door, MalformedRecord, Queue, Record},
};
