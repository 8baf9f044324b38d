//! Reading a table's changes.

use chrono::{DateTime, Utc};

use super::record::{ChangeKind, Image, TableChange};
use crate::events::{
    MalformedStreamRecord, Stream, StreamBatch,
    error::EventError,
    ignored::Ignored,
    json::{Field, Kind, records},
};

const EVENT: &str = "DynamoDB event";
const RECORD: &str = "DynamoDB record";

const NAMES: [&str; 7] = [
    "eventSourceARN",
    "eventName",
    "dynamodb.SequenceNumber",
    "dynamodb.Keys",
    "dynamodb.NewImage",
    "dynamodb.OldImage",
    "dynamodb.ApproximateCreationDateTime",
];

/// Reads what a table's stream invokes a function with: the event source mapping's `{"Records": […]}`, or the bare list of
/// a pipe of EventBridge; `None` for an event without records.
///
/// A record needs its sequence number and an image, or where the stream holds keys only, the keys. One without a sequence
/// number fails the event: it could not be named in the answer, and a shard goes on behind what is not named.
pub fn read_table_changes(event: &str) -> Result<Option<StreamBatch<TableChange>>, EventError> {
    let ([_], found) = records(event, (EVENT, ["Records[]"]), (RECORD, NAMES))?;
    let found = found.ok_or(EventError::MissingField { of: EVENT, field: "Records" })?;
    if found.is_empty() {
        return Ok(None);
    }
    let (mut stream, mut ignored) = (None, Ignored::default());
    let mut records = Vec::with_capacity(found.len());
    for found in found {
        records.push(read(found?, &mut stream, &mut ignored)?);
    }
    Ok(Some(StreamBatch { stream: stream.unwrap_or_else(Stream::unknown), records, ignored }))
}

fn read(
    found: [Field<'_>; NAMES.len()],
    stream: &mut Option<Stream>,
    ignored: &mut Ignored,
) -> Result<Result<TableChange, MalformedStreamRecord>, EventError> {
    let [arn, name, sequence_number, keys, new, old, changed] = found;
    let sequence_number = sequence_number.needed(RECORD)?.into_owned();
    if stream.is_none() {
        *stream = arn.text(ignored).and_then(|arn| Stream::of_table(&arn));
    }
    let [keys, new_image, old_image] = [keys, new, old].map(|field| image(&field, ignored));
    if keys.is_none() && new_image.is_none() && old_image.is_none() {
        let problem = EventError::MissingField { of: RECORD, field: "dynamodb.NewImage" };
        return Ok(Err(MalformedStreamRecord { shard_id: String::new(), sequence_number, problem }));
    }
    let kind = match name.text(ignored).as_deref() {
        Some("INSERT") => Some(ChangeKind::Insert),
        Some("MODIFY") => Some(ChangeKind::Modify),
        Some("REMOVE") => Some(ChangeKind::Remove),
        _ => None,
    };
    let changed_at = changed.number(ignored).and_then(seconds);
    Ok(Ok(TableChange { sequence_number, kind, keys, new_image, old_image, changed_at }))
}

fn image(field: &Field<'_>, ignored: &mut Ignored) -> Option<Image> {
    if field.kind() == Some(Kind::Object) {
        return field.json().map(|json| Image(json.to_owned()));
    }
    // Whatever else it is, it is noted.
    field.members(ignored);
    None
}

/// Lambda writes whole seconds, as a float.
#[allow(clippy::cast_possible_truncation, reason = "a time beyond the range is none, and a cast saturates there")]
fn seconds(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds as i64, 0)
}
