//! Changes of a table, strict.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::read::read_table_changes;
use crate::events::{Sequenced, StreamBatch, error::EventError, json::JsonProblem};

/// One change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableChange {
    /// Names the record in its shard, and in the answer.
    pub sequence_number: String,
    /// What happened to the item; `None` where the event does not say.
    pub kind: Option<ChangeKind>,
    /// The item's key.
    pub keys: Option<Image>,
    /// The item as it is now; `None` where it was removed, or the stream does not hold it.
    pub new_image: Option<Image>,
    /// The item as it was; `None` where it is new, or the stream does not hold it.
    pub old_image: Option<Image>,
    /// When it happened, to the second.
    pub changed_at: Option<DateTime<Utc>>,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// It was there before.
    Modify,
    /// It is gone: deleted, or expired.
    Remove,
}

/// Attributes of an item, in DynamoDB's own JSON: `{"id": {"N": "7"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(pub(super) String);

impl Image {
    /// As the stream sent it.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// As a type of yours: texts, numbers, lists and maps become those of plain JSON, a set a list, bytes stay base64.
    ///
    /// ```
    /// # use sluicegate::events::read_table_changes;
    /// # let event = r#"{"Records": [{"dynamodb": {"SequenceNumber": "1",
    /// #     "NewImage": {"id": {"N": "7"}, "name": {"S": "Ada"}}}}]}"#;
    /// #[derive(serde::Deserialize)]
    /// struct Donor {
    ///     id: u64,
    ///     name: String,
    /// }
    ///
    /// let batch = read_table_changes(event)?.unwrap();
    /// let change = batch.records[0].as_ref().unwrap();
    /// let donor: Donor = change.new_image.as_ref().unwrap().read()?;
    /// assert_eq!((donor.id, donor.name.as_str()), (7, "Ada"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonProblem> {
        let attributes: Map<String, Value> = serde_json::from_str(&self.0)?;
        let plain: Map<String, Value> = attributes.into_iter().map(|(name, value)| (name, plain(value))).collect();
        Ok(serde_json::from_value(Value::Object(plain))?)
    }
}

/// One attribute without the type around it; what has none stays as it is.
fn plain(value: Value) -> Value {
    let Value::Object(mut typed) = value else { return value };
    let Some((name, value)) = (if typed.len() == 1 { typed.iter().next() } else { None }) else {
        return Value::Object(typed);
    };
    let name = name.clone();
    match (name.as_str(), value) {
        ("NULL", _) => Value::Null,
        // A number of 38 digits keeps them only as text.
        ("N", Value::String(digits)) => serde_json::from_str(digits).unwrap_or_else(|_| digits.clone().into()),
        ("NS", Value::Array(numbers)) => {
            numbers.iter().map(|number| plain(serde_json::json!({ "N": number }))).collect()
        }
        ("L", Value::Array(list)) => list.iter().cloned().map(plain).collect(),
        ("M", Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), plain(value.clone()))).collect(),
        ("S" | "B" | "BOOL" | "SS" | "BS", _) => typed.remove(&name).unwrap_or_default(),
        _ => Value::Object(typed),
    }
}

impl Sequenced for TableChange {
    fn read(event: &str) -> Result<Option<StreamBatch<Self>>, EventError> {
        read_table_changes(event)
    }

    fn sequence_number(&self) -> &str {
        &self.sequence_number
    }

    /// Lambda sends the changes of one shard at a time, and does not say of which.
    fn shard_id(&self) -> &'static str {
        ""
    }

    fn arrived_at(&self) -> Option<DateTime<Utc>> {
        self.changed_at
    }
}
