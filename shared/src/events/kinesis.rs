//! Records of a Kinesis data stream.

use std::{borrow::Cow, fmt, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    error::{EventError, required},
    record::raw_records,
};

const RECORD: &str = "Kinesis record";

/// What the Kinesis Producer Library puts before several user records that it sends as one.
/// See [KPL aggregated record format](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).
const AGGREGATED: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// One record of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// The shard it was read from: the unit of order.
    pub shard_id: String,
    /// Names the record in its shard, and grows along it. Up to 128 digits: a number only in name.
    pub sequence_number: String,
    /// What the producer spread its records over the shards by, 1 to 256 characters.
    pub partition_key: String,
    /// The bytes as put, which need not be text: at most 1 MiB, 10 MiB where the stream allows it. May be none.
    pub body: Vec<u8>,
    /// When the stream took it, to the millisecond; approximate. `None` where the sender of the event left it out.
    pub arrived_at: Option<DateTime<Utc>>,
}

/// A record that cannot be read. Its shard stops there.
#[derive(Debug)]
pub struct MalformedStreamRecord {
    /// The shard it was read from.
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
pub struct StreamBatch {
    /// Where it came from.
    pub stream: Stream,
    /// In the order of the event.
    pub records: Vec<Result<StreamRecord, MalformedStreamRecord>>,
}

/// Reads what a stream's function is invoked with; `None` for an event without records, which names no stream.
///
/// See [Using Lambda with Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html). A record is known by
/// its `eventID`, `<shard id>:<sequence number>`. One without it fails the event: it could not be put in its place in the
/// order, nor named in the answer, and a shard goes on behind what is not named.
///
/// The wire types of `aws_lambda_events` are not used: they read the fraction of the arrival time as a whole number of
/// milliseconds, so that `1480641523.5` becomes 5 ms after the second.
pub fn stream_records(event: &str) -> Result<Option<StreamBatch>, EventError> {
    let mut stream = None;
    let mut records = Vec::new();
    for raw in raw_records(event, "Kinesis event")? {
        let wire: Wire<'_> = serde_json::from_str(raw.get()).map_err(EventError::malformed(RECORD))?;
        let (shard_id, sequence_number) = wire.identity()?;
        if stream.is_none() {
            let arn = wire.event_source_arn.ok_or_else(|| EventError::missing(RECORD, "eventSourceARN"))?;
            stream = Some(Stream::from_arn(&arn.0)?);
        }
        records.push(match Content::read(wire.kinesis) {
            Ok(Content { partition_key, body, arrived_at }) => {
                Ok(StreamRecord { shard_id, sequence_number, partition_key, body, arrived_at })
            }
            Err(problem) => Err(MalformedStreamRecord { shard_id, sequence_number, problem }),
        });
    }
    Ok(stream.map(|stream| StreamBatch { stream, records }))
}

/// One element of `Records[]`: what must be right for a bad record to fail alone, and the rest unread.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Wire<'a> {
    #[serde(rename = "eventID", borrow)]
    event_id: Option<Text<'a>>,
    #[serde(rename = "eventSourceARN", borrow)]
    event_source_arn: Option<Text<'a>>,
    #[serde(borrow)]
    kinesis: Option<&'a RawValue>,
}

impl Wire<'_> {
    /// Shard id and sequence number.
    fn identity(&self) -> Result<(String, String), EventError> {
        let event_id = self.event_id.as_ref().and_then(|event_id| event_id.0.split_once(':'));
        match event_id {
            Some((shard_id, sequence_number)) if !shard_id.is_empty() && !sequence_number.is_empty() => {
                Ok((shard_id.to_owned(), sequence_number.to_owned()))
            }
            _ => Err(EventError::missing(RECORD, "eventID (SHARD:SEQUENCE-NUMBER)")),
        }
    }
}

/// Text that is copied only where JSON escapes it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// What the member `kinesis` adds to a record's identity.
struct Content {
    partition_key: String,
    body: Vec<u8>,
    arrived_at: Option<DateTime<Utc>>,
}

impl Content {
    fn read(kinesis: Option<&RawValue>) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", expecting = "a JSON object")]
        struct Wire<'a> {
            partition_key: Option<String>,
            #[serde(borrow)]
            data: Option<Text<'a>>,
            approximate_arrival_timestamp: Option<f64>,
        }
        let kinesis = kinesis.ok_or_else(|| EventError::missing(RECORD, "kinesis"))?;
        let wire: Wire<'_> = serde_json::from_str(kinesis.get()).map_err(EventError::malformed(RECORD))?;
        let data = wire.data.ok_or_else(|| EventError::missing(RECORD, "data"))?;
        Ok(Self {
            partition_key: required(wire.partition_key, RECORD, "partitionKey")?,
            body: BASE64_STANDARD.decode(data.0.as_ref()).map_err(|problem| EventError::NotBase64 {
                of: RECORD,
                field: "data",
                problem,
            })?,
            arrived_at: wire.approximate_arrival_timestamp.and_then(time),
        })
    }
}

/// Seconds since 1970, with a fraction. A float cannot hold its thousandths: they are rounded, not cut.
fn time(seconds: f64) -> Option<DateTime<Utc>> {
    let since_1970 = Duration::try_from_secs_f64(seconds).ok()?.checked_add(Duration::from_micros(500))?;
    DateTime::from_timestamp_millis(i64::try_from(since_1970.as_millis()).ok()?)
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
        let name = arn.split_once(":stream/").map(|(_, path)| path.split('/').next().unwrap_or(path));
        let is_kinesis = arn.starts_with("arn:") && arn.contains(":kinesis:");
        let name = name.filter(|name| is_kinesis && !name.is_empty());
        let name = name.ok_or(EventError::UnknownShape {
            expected: "a stream ARN (arn:aws:kinesis:REGION:ACCOUNT:stream/NAME)",
        })?;
        Ok(Self { name: name.to_owned(), arn: arn.to_owned() })
    }

    /// As the event names it.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The stream's name.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";

    fn wire(sequence_number: &str, kinesis: &Value) -> Value {
        json!({"eventID": format!("shardId-000000000000:{sequence_number}"), "eventSourceARN": ARN, "kinesis": kinesis})
    }

    fn read(records: &[Value]) -> Result<Option<StreamBatch>, EventError> {
        stream_records(&json!({"Records": records}).to_string())
    }

    #[test]
    fn a_record_is_known_by_its_event_id() {
        let good = json!({"partitionKey": "k", "data": "aGVsbG8=", "approximateArrivalTimestamp": 1_480_641_523.5});
        let batch = read(&[wire("495", &good)]).unwrap().unwrap();
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!((record.shard_id.as_str(), record.sequence_number.as_str()), ("shardId-000000000000", "495"));
        assert_eq!((batch.stream.name(), batch.stream.arn()), ("clicks", ARN));
        assert_eq!(record.body, b"hello");
    }

    #[test]
    fn a_bad_record_fails_alone_and_in_its_place() {
        let kinesis = |data: Value| json!({"partitionKey": "k", "data": data});
        let bad = [
            (kinesis(json!("!!!")), "data of the Kinesis record is not base64: Invalid symbol 33"),
            (kinesis(json!(7)), "not a valid Kinesis record: invalid type: integer `7`"),
            (kinesis(json!(null)), "Kinesis record has no data"),
            (json!({"data": ""}), "Kinesis record has no partitionKey"),
            (json!([]), "not a valid Kinesis record"),
            (json!(null), "Kinesis record has no kinesis"),
        ];
        for (bad, problem) in bad {
            let good = kinesis(json!(""));
            let batch = read(&[wire("1", &good), wire("2", &bad), wire("3", &good)]).unwrap().unwrap();
            let [Ok(_), Err(malformed), Ok(_)] = &batch.records[..] else { panic!("{:?}", batch.records) };
            assert_eq!(malformed.sequence_number, "2");
            assert!(malformed.problem.to_string().starts_with(problem), "{}", malformed.problem);
        }
    }

    #[test]
    fn a_record_that_cannot_be_named_fails_the_event() {
        for identity in [json!({}), json!({"eventID": null}), json!({"eventID": "495"}), json!({"eventID": ":495"})] {
            let problem = read(&[identity]).unwrap_err().to_string();
            assert_eq!(problem, "Kinesis record has no eventID (SHARD:SEQUENCE-NUMBER)");
        }
        let problem = read(&[json!({"eventID": "shardId-0:1"})]).unwrap_err().to_string();
        assert_eq!(problem, "Kinesis record has no eventSourceARN");
    }

    #[test]
    fn an_event_without_records_names_no_stream() {
        assert!(read(&[]).unwrap().is_none());
    }

    #[test]
    fn the_stream_of_a_consumer_is_known_and_other_arns_are_not() {
        let consumer = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/clicks/consumer/fast:1607890123";
        assert_eq!(Stream::from_arn(consumer).unwrap().name(), "clicks");
        for arn in ["", "clicks", "arn:aws:sqs:us-east-1:123456789012:jobs", "arn:aws:kinesis:us-east-1:1:stream/"] {
            assert!(Stream::from_arn(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn an_arrival_time_that_is_none_is_left_out() {
        for seconds in [-1.0, 1e300] {
            assert_eq!(time(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn data_may_have_its_slashes_escaped() {
        let event = json!({"Records": [wire("1", &json!({"partitionKey": "k", "data": "//8="}))]}).to_string();
        let event = event.replace("//8=", r"\/\/8=");
        let batch = stream_records(&event).unwrap().unwrap();
        assert_eq!(batch.records[0].as_ref().unwrap().body, [0xFF, 0xFF]);
    }

    proptest! {
        #[test]
        fn an_arrival_time_keeps_its_milliseconds(ms in 0_i64..4_102_444_800_000) {
            let seconds: f64 = format!("{}.{:03}", ms / 1_000, ms % 1_000).parse().unwrap();
            prop_assert_eq!(time(seconds), DateTime::from_timestamp_millis(ms));
        }
    }
}
