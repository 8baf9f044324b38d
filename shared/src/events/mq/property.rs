//! Properties and headers as text, whatever Java makes of them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::{
    events::{ignored::Ignored, json::Field},
    preview::hex,
};

/// Each as text. What is beyond `serde_json` (a number that no float holds, a depth of more than a hundred) stands as it
/// is written.
pub(super) fn texts(field: &Field<'_>, ignored: &mut Ignored) -> BTreeMap<String, String> {
    let text = |json: &str| serde_json::from_str(json).map_or_else(|_| json.to_owned(), text);
    field.members(ignored).into_iter().map(|(name, json)| (name.into_owned(), text(json))).collect()
}

/// A property's value as text. RabbitMQ's texts come as `{"bytes": [118, 97, …]}`.
pub(super) fn text(value: Value) -> String {
    match readable(value) {
        Value::String(text) => text,
        mut other => {
            // Whatever order the maps of this build keep.
            other.sort_all_objects();
            other.to_string()
        }
    }
}

/// The same value with text in the place of bytes, at any depth.
fn readable(value: Value) -> Value {
    match value {
        Value::Object(members) => match (members.len(), members.get("bytes").and_then(bytes)) {
            (1, Some(bytes)) => String::from_utf8(bytes).unwrap_or_else(|error| hex(error.as_bytes())).into(),
            _ => members.into_iter().map(|(name, value)| (name, readable(value))).collect(),
        },
        Value::Array(list) => list.into_iter().map(readable).collect(),
        other => other,
    }
}

/// Java's bytes go from -128 to 127, everybody else's from 0 to 255.
fn bytes(list: &Value) -> Option<Vec<u8>> {
    let byte = |number: &Value| {
        let number = number.as_i64()?;
        u8::try_from(number).or_else(|_| i8::try_from(number).map(i8::cast_unsigned)).ok()
    };
    list.as_array()?.iter().map(byte).collect()
}

/// `Jan 1, 1970, 12:33:41 AM`: Java's words for a time, to the second. The zone is not said; Lambda's is UTC.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%b %d, %Y, %I:%M:%S %p").ok().map(|time| time.and_utc())
}
