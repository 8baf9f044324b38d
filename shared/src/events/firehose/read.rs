//! Reading what is to be transformed.

use std::{borrow::Cow, collections::HashSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::DateTime;

use super::record::{FirehoseBatch, FirehoseRecord, MalformedFirehoseRecord};
use crate::events::{
    error::EventError,
    ignored::Ignored,
    json::{Field, fields},
};

const EVENT: &str = "Firehose event";
const RECORD: &str = "Firehose record";

/// Reads the event with which Firehose has a batch transformed, from direct put or from a Kinesis data stream: each
/// record by itself, so that a bad one leaves the rest alone. A record needs its id and its data.
///
/// A record without an id, or with the id of another, fails the event: it could not be answered. Firehose then invokes
/// again, three times by default, and keeps the batch under its error prefix.
pub fn read_firehose_batch(event: &str) -> Result<FirehoseBatch<'_>, EventError> {
    let [delivery_stream_arn, source_stream_arn, raw] =
        fields(event, EVENT, ["deliveryStreamArn", "sourceKinesisStreamArn", "records[]"])?;
    let raw = raw.list(EVENT)?.ok_or(EventError::MissingField { of: EVENT, field: "records" })?;
    let mut ignored = Ignored::default();
    let mut ids = HashSet::with_capacity(raw.len());
    let mut records = Vec::with_capacity(raw.len());
    for raw in raw {
        const NAMES: [&str; 4] = ["recordId", "data", "approximateArrivalTimestamp", "kinesisRecordMetadata"];
        let found = fields(raw, RECORD, NAMES)?;
        let record_id = found[0].needed(RECORD)?;
        if !ids.insert(record_id.clone()) {
            return Err(EventError::UnknownShape { expected: "a recordId of its own for each record" });
        }
        records.push(record(record_id.into_owned(), &found, &mut ignored));
    }
    Ok(FirehoseBatch {
        delivery_stream_arn: delivery_stream_arn.text(&mut ignored).map(Into::into),
        source_stream_arn: source_stream_arn.text(&mut ignored).map(Into::into),
        records,
        ignored,
    })
}

fn record<'a>(
    record_id: String,
    [_, data, arrived_at, metadata]: &[Field<'a>; 4],
    ignored: &mut Ignored,
) -> Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>> {
    let encoded = match data.needed_or_empty(RECORD) {
        Ok(encoded) => encoded,
        Err(problem) => return Err(MalformedFirehoseRecord { record_id, encoded: Cow::Borrowed(""), problem }),
    };
    match BASE64_STANDARD.decode(encoded.as_bytes()) {
        Ok(body) => {
            let [partition_key] = metadata.fields(ignored, ["partitionKey"]);
            let arrived_at = arrived_at.integer(ignored).and_then(DateTime::from_timestamp_millis);
            Ok(FirehoseRecord {
                record_id,
                body,
                encoded,
                arrived_at,
                partition_key: partition_key.text(ignored).map(Into::into),
            })
        }
        Err(problem) => {
            let problem = EventError::not_base64(RECORD, "data", &problem);
            Err(MalformedFirehoseRecord {
                record_id,
                encoded: BASE64_STANDARD.encode(encoded.as_bytes()).into(),
                problem,
            })
        }
    }
}
