//! Records of a delivery stream, strict.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::events::{error::EventError, ignored::Ignored};

/// What one invocation brings: records of one delivery stream, on their way to its destination.
#[derive(Debug)]
#[non_exhaustive]
pub struct FirehoseBatch<'a> {
    /// The delivery stream that wants them back; `None` where the event leaves it out.
    pub delivery_stream_arn: Option<String>,
    /// The Kinesis data stream the delivery stream reads from; `None` where producers put into it directly.
    pub source_stream_arn: Option<String>,
    /// In the order of the event.
    pub records: Vec<Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>>>,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}

/// One record, at most 1,000 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirehoseRecord<'a> {
    /// Names the record in the answer. Good for this one invocation only.
    pub record_id: String,
    /// The bytes as put. They need not be text, and a producer may have put several lines together.
    pub body: Vec<u8>,
    /// The body in base64, as Firehose sent it: what a failed record gives back.
    pub encoded: Cow<'a, str>,
    /// When Firehose, or the Kinesis data stream before it, took the record; `None` where the event does not say.
    pub arrived_at: Option<DateTime<Utc>>,
    /// What the record is grouped by in its Kinesis data stream; `None` with direct put.
    pub partition_key: Option<String>,
}

/// A record that cannot be read. It is answered as failed, so that Firehose keeps it under its error prefix.
#[derive(Debug)]
pub struct MalformedFirehoseRecord<'a> {
    /// Names the record in the answer.
    pub record_id: String,
    /// Its `data`, as Firehose sent it. Empty when that is the part that is missing; what is not base64 is encoded as it
    /// stands, as an answer with anything else in it could be refused as a whole.
    pub encoded: Cow<'a, str>,
    /// What is wrong with it.
    pub problem: EventError,
}

impl FirehoseBatch<'_> {
    /// The name of the stream that producers know: the Kinesis data stream's, or with direct put the delivery stream's.
    #[must_use]
    pub fn source_name(&self) -> Option<&str> {
        self.source_stream_arn.as_ref().or(self.delivery_stream_arn.as_ref()).map(|arn| name_in(arn))
    }

    /// The delivery stream's name; `unknown` where the event leaves it out.
    #[must_use]
    pub fn stream_name(&self) -> &str {
        self.delivery_stream_arn.as_ref().map_or("unknown", |arn| name_in(arn))
    }
}

/// What follows the last `/`: `arn:aws:firehose:us-east-1:123456789012:deliverystream/uploads`.
fn name_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
