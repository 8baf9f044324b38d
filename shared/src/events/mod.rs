//! What arrives: from the JSON on the wire to strict records.
//!
//! `aws_lambda_events` gives the wire types, where nearly everything may be absent. Here absence is settled once: a
//! record that lacks what AWS always sends is refused with a sentence that names the field, and the records beside it
//! are not touched. Nothing in this module reads a clock, the network or the environment.
//!
//! | function | takes | gives |
//! |---|---|---|
//! | [`object_events`] | anything S3 causes, in any envelope | [`ObjectEvent`]s with their [`Route`] |
//! | [`notifications`] | SNS's invocation of a function | [`Notification`]s |
//! | [`batch`] | a queue's event, or the poller's dispatch | a [`Batch`] of [`Record`]s |
//! | [`firehose_batch`] | what Firehose wants transformed | a [`FirehoseBatch`] of [`FirehoseRecord`]s |
//! | [`stream_records`] | what a Kinesis stream delivers | a [`StreamBatch`] of [`StreamRecord`]s |
//! | [`broker_messages`] | what an Amazon MQ broker delivers | [`BrokerMessage`]s |
//! | [`tick`] | what a schedule sends, any JSON | a [`Tick`] |

mod attribute;
pub mod dispatch;
mod error;
mod firehose;
mod kinesis;
mod mq;
mod object_events;
pub mod object_key;
mod queue;
mod record;
mod route;
mod s3;
mod schedule;
mod sns;
mod sqs;

pub use self::{
    attribute::{AttributeValue, MessageAttribute, MessageAttributes},
    error::EventError,
    firehose::{FirehoseBatch, FirehoseRecord, MalformedFirehoseRecord, firehose_batch},
    kinesis::{MalformedStreamRecord, Stream, StreamBatch, StreamRecord, stream_records},
    mq::{BrokerEvent, BrokerMessage, MalformedMessage, MessageKind, broker_messages},
    object_events::{ObjectEvents, Refusal, TestEvent, object_events},
    queue::Queue,
    route::{Hop, Route},
    s3::{EventKind, EventName, ObjectEvent},
    schedule::{Origin, Tick, tick},
    sns::{Notification, notifications},
    sqs::{Batch, Door, MalformedRecord, Record, batch},
};
