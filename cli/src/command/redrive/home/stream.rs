//! Records that a letter stands for, read back from the stream and written as Lambda writes them.

use anyhow::bail;
use aws_sdk_dynamodbstreams::{
    operation::get_shard_iterator::GetShardIteratorError,
    types::{AttributeValue, OperationType, Record as Change, StreamRecord, StreamViewType},
};
use aws_sdk_kinesis::types::Record;
use aws_smithy_types::DateTime;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::{connection::Connection, dead_letter::Place};

/// The event of these records, whole.
pub(super) async fn event(connection: &Connection, place: &Place) -> anyhow::Result<String> {
    let mut records =
        if place.is_kinesis { kinesis(connection, place).await? } else { dynamodb(connection, place).await? };
    records.retain(|(sequence_number, _)| !is_after(sequence_number, &place.last));
    let is_whole = records.first().is_some_and(|(first, _)| *first == place.first)
        && records.last().is_some_and(|(last, _)| *last == place.last);
    if !is_whole {
        bail!("their records have aged out of {}", place.stream);
    }
    let records: Vec<Value> = records.into_iter().map(|(_, record)| record).collect();
    Ok(json!({ "Records": records }).to_string())
}

type Numbered = Vec<(String, Value)>;

async fn kinesis(connection: &Connection, place: &Place) -> anyhow::Result<Numbered> {
    let connection = &connection.in_region(region(&place.stream))?;
    let client = aws_sdk_kinesis::Client::new(connection.config()?);
    let request = client.get_shard_iterator().stream_arn(&place.stream).shard_id(&place.shard);
    let request = request.shard_iterator_type(aws_sdk_kinesis::types::ShardIteratorType::AtSequenceNumber);
    let answer = request.starting_sequence_number(&place.first).send().await;
    let mut next = answer.map_err(connection.refusal("kinesis:GetShardIterator", &place.stream))?.shard_iterator;
    let mut found = Vec::new();
    while let Some(iterator) = next.filter(|_| !is_there(&found, place)) {
        let answer = client.get_records().stream_arn(&place.stream).shard_iterator(iterator).send().await;
        let answer = answer.map_err(connection.refusal("kinesis:GetRecords", &place.stream))?;
        found.extend(answer.records().iter().map(|record| of_kinesis(record, place)));
        next =
            answer.next_shard_iterator.filter(|_| !answer.records.is_empty() || answer.millis_behind_latest > Some(0));
    }
    Ok(found)
}

async fn dynamodb(connection: &Connection, place: &Place) -> anyhow::Result<Numbered> {
    let connection = &connection.in_region(region(&place.stream))?;
    let client = aws_sdk_dynamodbstreams::Client::new(connection.config()?);
    let request = client.get_shard_iterator().stream_arn(&place.stream).shard_id(&place.shard);
    let request = request.shard_iterator_type(aws_sdk_dynamodbstreams::types::ShardIteratorType::AtSequenceNumber);
    let mut next = match request.sequence_number(&place.first).send().await {
        Err(error) if error.as_service_error().is_some_and(GetShardIteratorError::is_trimmed_data_access_exception) => {
            None
        }
        answer => answer.map_err(connection.refusal("dynamodb:GetShardIterator", &place.stream))?.shard_iterator,
    };
    let mut found = Vec::new();
    while let Some(iterator) = next.filter(|_| !is_there(&found, place)) {
        let answer = client.get_records().shard_iterator(iterator).send().await;
        let answer = answer.map_err(connection.refusal("dynamodb:GetRecords", &place.stream))?;
        found.extend(answer.records().iter().filter_map(|record| of_dynamodb(record, place)));
        next = answer.next_shard_iterator.filter(|_| !answer.records.unwrap_or_default().is_empty());
    }
    Ok(found)
}

/// Whether enough was read: the last record, or none where the first should be.
fn is_there(found: &Numbered, place: &Place) -> bool {
    let is_other = found.first().is_some_and(|(first, _)| *first != place.first);
    is_other || found.last().is_some_and(|(last, _)| last == &place.last || is_after(last, &place.last))
}

/// Sequence numbers are decimals of any length.
fn is_after(one: &str, other: &str) -> bool {
    (one.len(), one) > (other.len(), other)
}

fn region(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// See [Using Lambda with Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html).
fn of_kinesis(record: &Record, place: &Place) -> (String, Value) {
    let number = record.sequence_number();
    let kinesis = json!({
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record.partition_key(),
        "sequenceNumber": number,
        "data": BASE64_STANDARD.encode(record.data().as_ref()),
        "approximateArrivalTimestamp": record.approximate_arrival_timestamp().map(DateTime::as_secs_f64),
    });
    let value = json!({
        "kinesis": kinesis,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{}:{number}", place.shard),
        "eventName": "aws:kinesis:record",
        "awsRegion": region(&place.stream),
        "eventSourceARN": place.stream,
    });
    (number.to_owned(), value)
}

/// See [Using Lambda with DynamoDB](https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html).
fn of_dynamodb(record: &Change, place: &Place) -> Option<(String, Value)> {
    let change: &StreamRecord = record.dynamodb()?;
    let number = change.sequence_number()?;
    let mut dynamodb = json!({
        "ApproximateCreationDateTime": change.approximate_creation_date_time().map(DateTime::as_secs_f64),
        "Keys": image(change.keys()),
        "SequenceNumber": number,
        "SizeBytes": change.size_bytes(),
        "StreamViewType": change.stream_view_type().map(StreamViewType::as_str),
    });
    for (name, item) in [("NewImage", change.new_image()), ("OldImage", change.old_image())] {
        if item.is_some() {
            dynamodb[name] = image(item);
        }
    }
    let value = json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(OperationType::as_str),
        "eventVersion": record.event_version(),
        "eventSource": "aws:dynamodb",
        "awsRegion": record.aws_region(),
        "dynamodb": dynamodb,
        "eventSourceARN": place.stream,
    });
    Some((number.to_owned(), value))
}

fn image(item: Option<&std::collections::HashMap<String, AttributeValue>>) -> Value {
    item.into_iter().flatten().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

/// In the JSON of the API.
fn attribute(value: &AttributeValue) -> Value {
    let base64 = |bytes: &aws_sdk_dynamodbstreams::primitives::Blob| BASE64_STANDARD.encode(bytes.as_ref());
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": base64(bytes) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(all) => json!({ "BS": all.iter().map(base64).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": image(Some(map)) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        _ => json!({ "NULL": true }),
    }
}
