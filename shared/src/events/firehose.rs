//! Records that Firehose wants transformed.

use std::{borrow::Cow, collections::HashSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{EventError, required};

const EVENT: &str = "Firehose event";
const RECORD: &str = "Firehose record";

/// What one invocation brings: records of one delivery stream, on their way to its destination.
#[derive(Debug)]
pub struct FirehoseBatch<'a> {
    /// The delivery stream that wants them back.
    pub delivery_stream_arn: String,
    /// The Kinesis data stream the delivery stream reads from; `None` where producers put into it directly.
    pub source_stream_arn: Option<String>,
    /// In the order of the event.
    pub records: Vec<Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>>>,
}

/// One record, at most 1,000 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirehoseRecord<'a> {
    /// Names the record in the answer. Good for this one invocation only.
    pub record_id: String,
    /// The bytes as put. They need not be text, and a producer may have put several lines together.
    pub body: Vec<u8>,
    /// The body in base64, as Firehose sent it: what a failed record gives back.
    pub encoded: Cow<'a, str>,
    /// When Firehose, or the Kinesis data stream before it, took the record.
    pub arrived_at: DateTime<Utc>,
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
    pub fn source_name(&self) -> &str {
        let arn = self.source_stream_arn.as_ref().unwrap_or(&self.delivery_stream_arn);
        name_in(arn)
    }

    /// The delivery stream's name.
    #[must_use]
    pub fn stream_name(&self) -> &str {
        name_in(&self.delivery_stream_arn)
    }
}

/// What follows the last `/`: `arn:aws:firehose:us-east-1:123456789012:deliverystream/uploads`.
fn name_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Reads the event with which Firehose has a batch transformed, from direct put or from a Kinesis data stream: each
/// record by itself, so that a bad one leaves the rest alone.
///
/// A record without an id, or with the id of another, fails the event: it could not be answered. Firehose then invokes
/// again, three times by default, and keeps the batch under its error prefix. See
/// [Transform source data](https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html).
pub fn firehose_batch(event: &str) -> Result<FirehoseBatch<'_>, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object", rename_all = "camelCase")]
    struct Event<'a> {
        delivery_stream_arn: Option<String>,
        source_kinesis_stream_arn: Option<String>,
        #[serde(borrow)]
        records: Option<Vec<&'a RawValue>>,
    }
    let wire: Event<'_> = serde_json::from_str(event).map_err(EventError::malformed(EVENT))?;
    let raw_records = wire.records.ok_or_else(|| EventError::missing(EVENT, "records"))?;
    let mut ids = HashSet::with_capacity(raw_records.len());
    let mut records = Vec::with_capacity(raw_records.len());
    for raw in raw_records {
        let identity: Identity<'_> = serde_json::from_str(raw.get()).map_err(EventError::malformed(RECORD))?;
        let record_id = required(identity.record_id, RECORD, "recordId")?;
        if !ids.insert(record_id.clone()) {
            return Err(EventError::UnknownShape { expected: "a recordId of its own for each record" });
        }
        records.push(FirehoseRecord::from_wire(record_id, raw, identity.data));
    }
    Ok(FirehoseBatch {
        delivery_stream_arn: required(wire.delivery_stream_arn, EVENT, "deliveryStreamArn")?,
        source_stream_arn: wire.source_kinesis_stream_arn.filter(|arn| !arn.is_empty()),
        records,
    })
}

/// What must be right for a bad record to fail alone.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object", rename_all = "camelCase")]
struct Identity<'a> {
    record_id: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The rest. [`aws_lambda_events`] decodes `data` on the way in and keeps no original to give back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    approximate_arrival_timestamp: Option<i64>,
    kinesis_record_metadata: Option<KinesisMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KinesisMetadata {
    partition_key: Option<String>,
}

impl<'a> FirehoseRecord<'a> {
    fn from_wire(
        record_id: String,
        record: &RawValue,
        data: Option<&'a RawValue>,
    ) -> Result<Self, MalformedFirehoseRecord<'a>> {
        let encoded = data.and_then(text);
        let read = || {
            let wire: Wire = serde_json::from_str(record.get()).map_err(EventError::malformed(RECORD))?;
            let encoded = encoded.as_ref().ok_or_else(|| EventError::missing(RECORD, "data"))?;
            let body = BASE64_STANDARD.decode(encoded.as_bytes());
            let body = body.map_err(|problem| EventError::NotBase64 { of: RECORD, field: "data", problem })?;
            let arrived_at = wire.approximate_arrival_timestamp.and_then(DateTime::from_timestamp_millis);
            let arrived_at = arrived_at.ok_or_else(|| EventError::missing(RECORD, "approximateArrivalTimestamp"))?;
            Ok((body, arrived_at, wire.kinesis_record_metadata.and_then(|metadata| metadata.partition_key)))
        };
        match read() {
            Ok((body, arrived_at, partition_key)) => {
                let encoded = encoded.unwrap_or_default();
                Ok(Self { record_id, body, encoded, arrived_at, partition_key })
            }
            Err(problem) => {
                let encoded = match (&problem, encoded) {
                    (EventError::NotBase64 { .. }, Some(text)) => BASE64_STANDARD.encode(text.as_bytes()).into(),
                    (_, encoded) => encoded.unwrap_or_default(),
                };
                Err(MalformedFirehoseRecord { record_id, encoded, problem })
            }
        }
    }
}

/// A JSON string's text, `None` for any other value. Base64 needs no escapes: it is borrowed as it stands.
fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if quoted.contains('\\') { serde_json::from_str(value.get()).ok().map(Cow::Owned) } else { Some(quoted.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(records: &str) -> String {
        format!(
            r#"{{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks",
                "region":"us-east-1","records":[{records}]}}"#
        )
    }

    const GOOD: &str = r#"{"recordId":"1","approximateArrivalTimestamp":1767323045678,"data":"aGVsbG8="}"#;

    #[test]
    fn a_record_keeps_its_bytes_and_what_they_came_as() {
        let event = event(GOOD);
        let batch = firehose_batch(&event).unwrap();
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!(
            (record.record_id.as_str(), &*record.encoded, record.body.as_slice()),
            ("1", "aGVsbG8=", &b"hello"[..])
        );
        assert_eq!(record.arrived_at.to_rfc3339(), "2026-01-02T03:04:05.678+00:00");
        assert!(matches!(record.encoded, Cow::Borrowed(_)), "it is not copied");
        assert_eq!((batch.stream_name(), batch.source_name()), ("clicks", "clicks"));
    }

    #[test]
    fn a_record_that_cannot_be_read_leaves_its_neighbour_alone_and_keeps_its_data() {
        for (bad, data, part) in [
            (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":"?\/"}"#, "Py8=", "is not base64"),
            (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":"aGVsbG8"}"#, "YUdWc2JHOA==", "is not base64"),
            (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":7}"#, "", "has no data"),
            (r#"{"recordId":"2","approximateArrivalTimestamp":1}"#, "", "has no data"),
            (r#"{"recordId":"2","data":"aGVsbG8="}"#, "aGVsbG8=", "has no approximateArrivalTimestamp"),
            (r#"{"recordId":"2","approximateArrivalTimestamp":"now","data":"aGVsbG8="}"#, "aGVsbG8=", "not a valid"),
        ] {
            let event = event(&format!("{bad},{GOOD}"));
            let batch = firehose_batch(&event).unwrap();
            let malformed = batch.records[0].as_ref().unwrap_err();
            assert_eq!((malformed.record_id.as_str(), &*malformed.encoded), ("2", data), "{bad}");
            assert!(malformed.problem.to_string().contains(part), "{bad}: {}", malformed.problem);
            assert!(batch.records[1].is_ok(), "{bad}");
        }
    }

    #[test]
    fn an_event_that_could_not_be_answered_is_refused() {
        for (records, part) in [
            (r#"{"approximateArrivalTimestamp":1,"data":""}"#.to_owned(), "has no recordId"),
            (r#"{"recordId":"","approximateArrivalTimestamp":1,"data":""}"#.to_owned(), "has no recordId"),
            (format!("{GOOD},{GOOD}"), "a recordId of its own"),
            ("7".to_owned(), "not a valid Firehose record"),
        ] {
            let problem = firehose_batch(&event(&records)).unwrap_err().to_string();
            assert!(problem.contains(part), "{records}: {problem}");
        }
        assert_eq!(
            firehose_batch(r#"{"records":[]}"#).unwrap_err().to_string(),
            "Firehose event has no deliveryStreamArn"
        );
        assert_eq!(firehose_batch("{}").unwrap_err().to_string(), "Firehose event has no records");
    }
}
