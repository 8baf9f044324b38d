//! Reading a stream's records.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};

use super::record::{MalformedStreamRecord, Stream, StreamBatch, StreamRecord};
use crate::events::{
    error::EventError,
    ignored::Ignored,
    json::{Field, records},
};

const EVENT: &str = "Kinesis event";
const RECORD: &str = "Kinesis record";

/// What a mapping nests and a pipe does not.
const NAMES: [&str; 10] = [
    "eventID",
    "eventSourceARN",
    "kinesis.sequenceNumber",
    "kinesis.partitionKey",
    "kinesis.data",
    "kinesis.approximateArrivalTimestamp",
    "sequenceNumber",
    "partitionKey",
    "data",
    "approximateArrivalTimestamp",
];

/// Reads what a stream's function is invoked with; `None` for an event without records, which names no stream.
///
/// Takes the event source mapping's `{"Records": [{"kinesis": {…}}]}` and the bare list of flat records that a pipe of
/// EventBridge sends. A record needs its sequence number and its data. One without a sequence number fails the event: it
/// could not be named in the answer, and a shard goes on behind what is not named.
pub fn read_stream_records(event: &str) -> Result<Option<StreamBatch>, EventError> {
    let ([_], found) = records(event, (EVENT, ["Records[]"]), (RECORD, NAMES))?;
    let found = found.ok_or(EventError::MissingField { of: EVENT, field: "Records" })?;
    let mut ignored = Ignored::default();
    let read: Vec<Read> = found.into_iter().map(|found| Read::of(found?, &mut ignored)).collect::<Result<_, _>>()?;
    let stream = read.iter().find_map(|read| read.stream.clone());
    // Lambda sends those of one shard at a time: who does not say its shard is of the others'.
    let shard = read.iter().find_map(|read| read.shard_id.clone()).unwrap_or_default();
    if read.is_empty() {
        return Ok(None);
    }
    if stream.is_none() {
        ignored.add("eventSourceARN");
    }
    let records = read.into_iter().map(|read| read.record(&shard)).collect();
    Ok(Some(StreamBatch { stream: stream.unwrap_or_else(Stream::unknown), records, ignored }))
}

/// What one element says.
struct Read {
    stream: Option<Stream>,
    shard_id: Option<String>,
    sequence_number: String,
    partition_key: Option<String>,
    arrived_at: Option<DateTime<Utc>>,
    body: Result<Vec<u8>, EventError>,
}

impl Read {
    fn of(found: [Field<'_>; NAMES.len()], ignored: &mut Ignored) -> Result<Self, EventError> {
        let [event_id, arn, inner @ ..] = found;
        let [number, key, data, arrived, flat_number, flat_key, flat_data, flat_arrived] = inner;
        let [number, key, data, arrived] =
            [(number, flat_number), (key, flat_key), (data, flat_data), (arrived, flat_arrived)]
                .map(|(nested, flat)| if nested.is_there() { nested } else { flat });
        let event_id = event_id.text(ignored);
        let (shard_id, event_number) = event_id.as_deref().and_then(|id| id.split_once(':')).unzip();
        let sequence_number = number.text(ignored).map(String::from);
        let sequence_number =
            sequence_number.or_else(|| event_number.filter(|number| !number.is_empty()).map(String::from));
        Ok(Self {
            stream: arn.quiet_text().and_then(|arn| Stream::from_arn(&arn).ok()),
            shard_id: shard_id.filter(|shard| !shard.is_empty()).map(String::from),
            sequence_number: sequence_number
                .ok_or(EventError::MissingField { of: RECORD, field: "kinesis.sequenceNumber" })?,
            partition_key: key.text(ignored).map(Into::into),
            arrived_at: arrived.number(ignored).and_then(time),
            body: body(&data),
        })
    }

    fn record(self, shard: &str) -> Result<StreamRecord, MalformedStreamRecord> {
        let Self { shard_id, sequence_number, partition_key, arrived_at, body, .. } = self;
        let shard_id = shard_id.unwrap_or_else(|| shard.to_owned());
        match body {
            Ok(body) => Ok(StreamRecord { shard_id, sequence_number, partition_key, body, arrived_at }),
            Err(problem) => Err(MalformedStreamRecord { shard_id, sequence_number, problem }),
        }
    }
}

fn body(data: &Field<'_>) -> Result<Vec<u8>, EventError> {
    let data = data.needed_or_empty(RECORD)?;
    BASE64_STANDARD.decode(data.as_bytes()).map_err(|problem| EventError::not_base64(RECORD, "data", &problem))
}

/// Seconds since 1970, with a fraction. A float cannot hold its thousandths: they are rounded, not cut.
pub(super) fn time(seconds: f64) -> Option<DateTime<Utc>> {
    let since_1970 = Duration::try_from_secs_f64(seconds).ok()?.checked_add(Duration::from_micros(500))?;
    DateTime::from_timestamp_millis(i64::try_from(since_1970.as_millis()).ok()?)
}
