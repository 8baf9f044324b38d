//! `NewDonor`: somebody gave, and is to be known by name.

use serde_json::Value;
use sluicegate::{delivery::RecordError, events::Record, idempotency};

use super::{Job, Work};
use crate::config::Config;

pub(crate) struct NewDonor;

/// What a producer sends: a JSON object with a name that is not empty. Its `id`, where it has one, is what duplicates are
/// known by; other fields are left alone.
#[derive(Debug, PartialEq, Eq)]
struct Donor {
    name: String,
}

#[derive(Debug, thiserror::Error)]
enum DonorError {
    #[error("a donor is a JSON object, and this is not one")]
    NotAnObject,
    #[error("the donor has no name")]
    NoName,
}

impl Donor {
    fn from_body(body: &Value) -> Result<Self, DonorError> {
        let name = body.as_object().ok_or(DonorError::NotAnObject)?.get("name");
        match name.and_then(Value::as_str).map(str::trim) {
            None | Some("") => Err(DonorError::NoName),
            Some(name) => Ok(Self { name: name.to_owned() }),
        }
    }
}

impl Job for NewDonor {
    fn name(&self) -> &'static str {
        "NewDonor"
    }

    fn fits(&self, _: &Record, body: &Value) -> bool {
        body.get("name").is_some()
    }

    fn idempotency_key(&self, _: &Record, body: &Value) -> Option<String> {
        body.get("id")?.as_str().map(|id| idempotency::for_effect(self.name(), id))
    }

    fn run<'a>(&self, _: &'a Config, record: &'a Record, body: &'a Value) -> Work<'a> {
        Box::pin(async move {
            let donor = Donor::from_body(body).map_err(RecordError::reject)?;
            // The name is somebody's: its length is enough to see that it came through.
            tracing::info!(
                record.message_id = %record.message_id,
                donor.name_chars = donor.name.chars().count(),
                "donor registered"
            );
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_donor_needs_a_name_that_is_not_empty() {
        assert_eq!(Donor::from_body(&json!({"name": "Ada", "city": "London"})).unwrap().name, "Ada");
        for body in [json!({"name": " "}), json!({"name": 7}), json!({}), json!(["name"]), json!(null)] {
            assert!(Donor::from_body(&body).is_err(), "{body}");
        }
    }
}
