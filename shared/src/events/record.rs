//! `Records[]`, the list that S3, SNS and SQS events share.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::EventError;

/// The elements of `Records[]`, not yet read: a bad one must not fail its neighbours.
pub(crate) fn raw_records<'a>(event: &'a str, expected: &'static str) -> Result<Vec<&'a RawValue>, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object")]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Option<Vec<&'a RawValue>>,
    }
    let event: Event<'a> = serde_json::from_str(event).map_err(EventError::malformed(expected))?;
    event.records.ok_or_else(|| EventError::missing(expected, "Records"))
}
