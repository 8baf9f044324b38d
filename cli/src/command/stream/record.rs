//! A line as a record.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::{
    batch::{Entry, Refused},
    input::{Piece, Place},
};

/// One record to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) data: Vec<u8>,
    /// `None` where nothing is grouped: on a delivery stream.
    pub(super) partition_key: Option<String>,
}

/// What AWS counts: the bytes and the partition key.
impl Entry for Record {
    fn bytes(&self) -> usize {
        self.data.len() + self.partition_key.as_ref().map_or(0, String::len)
    }
}

/// What decides the shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PartitionKey {
    /// Nothing is grouped.
    None,
    /// Another key each time: the records spread over all shards.
    Random,
    /// One for all.
    Fixed(String),
    /// The value of a field, by its name or a path with dots.
    Field(String),
}

/// How lines become records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) partition_key: PartitionKey,
    /// Put lines that are not JSON as well.
    pub(super) raw: bool,
    /// Firehose puts nothing between records: the newline goes with the line.
    pub(super) newline: bool,
    /// What the stream takes, with the partition key.
    pub(super) max_bytes: usize,
}

impl Recipe {
    /// The record of a line, or why there is none.
    pub(super) fn record(&self, Piece { place, text, .. }: Piece) -> Result<Record, Refused> {
        let too_long = || format!("it has more than {} bytes, the most the stream takes", self.max_bytes);
        let mut line = text.ok_or_else(|| refused(&place, too_long()))?.trim_ascii().to_vec();
        if !self.raw {
            let json: Result<&RawValue, _> = serde_json::from_slice(&line);
            json.map_err(|error| refused(&place, format!("it is not JSON ({error}): --raw puts any text")))?;
        }
        let partition_key = match &self.partition_key {
            PartitionKey::None => None,
            PartitionKey::Random => Some(format!("{:032x}", fastrand::u128(..))),
            PartitionKey::Fixed(key) => Some(key.clone()),
            PartitionKey::Field(path) => Some(field(&line, path).map_err(|reason| refused(&place, reason))?),
        };
        if self.newline {
            line.push(b'\n');
        }
        let record = Record { place, data: line, partition_key };
        if record.bytes() > self.max_bytes {
            let reason = format!("it has {} bytes, and the stream takes {}", record.bytes(), self.max_bytes);
            return Err(refused(&record.place, reason));
        }
        Ok(record)
    }
}

fn refused(place: &Place, reason: String) -> Refused {
    Refused { place: place.clone(), reason }
}

/// The value of a field as a key: a string's text, anything else that is no object or list as it is written.
fn field(line: &[u8], path: &str) -> Result<String, String> {
    let value = find(line, path).ok_or_else(|| format!("it has no field {path}"))?;
    if value.get().starts_with(['{', '[']) {
        return Err(format!("its field {path} is no text or number"));
    }
    partition_key(&serde_json::from_str(value.get()).unwrap_or_else(|_no_string| value.get().to_owned()))
        .map_err(|problem| format!("its field {path} is no partition key: {problem}"))
}

fn find<'a>(object: &'a [u8], path: &str) -> Option<&'a RawValue> {
    let fields: HashMap<String, &'a RawValue> = serde_json::from_slice(object).ok()?;
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let (name, rest) = path.split_once('.')?;
    find(fields.get(name)?.get().as_bytes(), rest)
}

/// Reads a partition key. See
/// [PutRecordsRequestEntry](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html).
pub(super) fn partition_key(text: &str) -> Result<String, String> {
    if (1..=256).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err("it has 1 to 256 characters".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(partition_key: PartitionKey) -> Recipe {
        Recipe { partition_key, raw: false, newline: false, max_bytes: 100 }
    }

    fn made(recipe: &Recipe, line: &str) -> Result<Record, String> {
        recipe
            .record(Piece { place: Place { file: None, line: 1 }, text: Some(line.into()), is_json: false })
            .map_err(|refused| refused.reason)
    }

    #[test]
    fn a_key_is_taken_from_a_field_by_name_or_path() {
        let key = |path: &str, line: &str| {
            made(&recipe(PartitionKey::Field(path.to_owned())), line).map(|record| record.partition_key.unwrap())
        };
        assert_eq!(key("user", r#"{"user":"Ada \u0041"}"#).unwrap(), "Ada A");
        assert_eq!(key("user.id", r#"{"user":{"id":12345678901234567890123}}"#).unwrap(), "12345678901234567890123");
        assert_eq!(key("user.id", r#"{"user.id":true}"#).unwrap(), "true");
        for (line, reason) in [
            ("{}", "it has no field user.id"),
            (r#"{"user":7}"#, "it has no field user.id"),
            ("[1]", "it has no field user.id"),
            (r#"{"user":{"id":{}}}"#, "its field user.id is no text or number"),
            (r#"{"user":{"id":""}}"#, "its field user.id is no partition key: it has 1 to 256 characters"),
        ] {
            assert_eq!(key("user.id", line).unwrap_err(), reason, "{line}");
        }
    }

    #[test]
    fn random_keys_differ_and_count_as_bytes() {
        let recipe = recipe(PartitionKey::Random);
        let (one, other) = (made(&recipe, "{}").unwrap(), made(&recipe, "{}").unwrap());
        assert_ne!(one.partition_key, other.partition_key);
        assert_eq!(one.bytes(), 34);
        assert!(made(&recipe, &format!("\"{}\"", "x".repeat(67))).unwrap_err().starts_with("it has 101 bytes"));
    }

    #[test]
    fn a_delivery_streams_line_takes_its_newline_with_it() {
        let recipe = Recipe { newline: true, ..recipe(PartitionKey::None) };
        assert_eq!(made(&recipe, "{}").unwrap().data, b"{}\n");
        assert!(made(&recipe, &format!("\"{}\"", "x".repeat(98))).unwrap_err().starts_with("it has 101 bytes"));
    }

    #[test]
    fn a_line_that_is_not_json_is_put_only_where_it_is_asked_for() {
        let recipe = recipe(PartitionKey::Fixed("k".to_owned()));
        assert!(made(&recipe, "{\"a\":").unwrap_err().contains("it is not JSON (EOF"));
        assert_eq!(made(&Recipe { raw: true, ..recipe }, "{\"a\":").unwrap().data, b"{\"a\":");
    }
}
