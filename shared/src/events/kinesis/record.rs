//! Records of a stream, strict.

use std::fmt;

use chrono::{DateTime, Utc};

use super::read::read_stream_records;
use crate::events::{error::EventError, ignored::Ignored};

/// What the Kinesis Producer Library puts before several user records that it sends as one.
/// See [KPL aggregated record format](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).
const AGGREGATED: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// One record of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamRecord {
    /// The shard it was read from: the unit of order.
    pub shard_id: String,
    /// Names the record in its shard, and grows along it. Up to 128 digits: a number only in name.
    pub sequence_number: String,
    /// What the producer spread its records over the shards by, 1 to 256 characters; `None` where it is left out.
    pub partition_key: Option<String>,
    /// The bytes as put, which need not be text: at most 1 MiB, 10 MiB where the stream allows it. May be none.
    pub body: Vec<u8>,
    /// When the stream took it, to the millisecond; approximate. `None` where the sender of the event left it out.
    pub arrived_at: Option<DateTime<Utc>>,
}

/// A record of a stream: of Kinesis, or a table's change.
pub trait Sequenced: Sized {
    /// Reads what a stream's function is invoked with; `None` for an event without records.
    fn read(event: &str) -> Result<Option<StreamBatch<Self>>, EventError>;

    /// Names the record in its shard, and in the answer.
    fn sequence_number(&self) -> &str;

    /// The unit of order; empty where the event does not say, and so holds one only.
    fn shard_id(&self) -> &str;

    /// When the stream took it.
    fn arrived_at(&self) -> Option<DateTime<Utc>>;
}

impl Sequenced for StreamRecord {
    fn read(event: &str) -> Result<Option<StreamBatch>, EventError> {
        read_stream_records(event)
    }

    fn sequence_number(&self) -> &str {
        &self.sequence_number
    }

    fn shard_id(&self) -> &str {
        &self.shard_id
    }

    fn arrived_at(&self) -> Option<DateTime<Utc>> {
        self.arrived_at
    }
}

/// A record that cannot be read. Its shard stops there.
#[derive(Debug)]
pub struct MalformedStreamRecord {
    /// The shard it was read from; empty where the event does not say.
    pub shard_id: String,
    /// Names the record in the answer.
    pub sequence_number: String,
    /// What is wrong with it.
    pub problem: EventError,
}

/// Which stream a record came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    arn: String,
    name: String,
}

/// What one invocation brings: records of one stream. Lambda sends those of one shard at a time.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamBatch<R = StreamRecord> {
    /// Where it came from.
    pub stream: Stream,
    /// In the order of the event.
    pub records: Vec<Result<R, MalformedStreamRecord>>,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}

impl StreamRecord {
    /// Whether the Kinesis Producer Library packed several user records into this one. Such a body is never UTF-8. Only its
    /// first four bytes are looked at.
    #[must_use]
    pub fn is_aggregated(&self) -> bool {
        self.body.starts_with(&AGGREGATED)
    }
}

impl Stream {
    /// Reads `arn:aws:kinesis:<region>:<account>:stream/<name>`, or the ARN of one of its consumers, which goes on with
    /// `/consumer/<name>:<time>`.
    ///
    /// ```
    /// # use sluicegate::events::Stream;
    /// let stream = Stream::from_arn("arn:aws:kinesis:eu-west-1:123456789012:stream/clicks")?;
    /// assert_eq!(stream.name(), "clicks");
    /// # Ok::<_, sluicegate::events::EventError>(())
    /// ```
    pub fn from_arn(arn: &str) -> Result<Self, EventError> {
        let name = match arn.split_once(":stream/") {
            Some((_, path)) => path.split('/').next().unwrap_or(path),
            // An emulator's, or a sample's: the name is what follows the last slash or colon.
            None => arn.rsplit(['/', ':']).next().unwrap_or(arn),
        };
        let is_kinesis = arn.starts_with("arn:") && arn.contains(":kinesis:") && !name.is_empty();
        if !is_kinesis {
            return Err(EventError::UnknownShape {
                expected: "a stream ARN (arn:aws:kinesis:REGION:ACCOUNT:stream/NAME)",
            });
        }
        Ok(Self { name: name.to_owned(), arn: arn.to_owned() })
    }

    /// The stream of a table, `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<time>`, by the table's name.
    pub(in crate::events) fn of_table(arn: &str) -> Option<Self> {
        let name = arn.split_once(":table/")?.1.split('/').next().filter(|name| !name.is_empty())?;
        Some(Self { name: name.to_owned(), arn: arn.to_owned() })
    }

    /// The stream of records that do not say where they came from.
    pub(in crate::events) fn unknown() -> Self {
        Self { name: "unknown".to_owned(), arn: String::new() }
    }

    /// As the event names it; empty where it does not.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The stream's name, or its table's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
