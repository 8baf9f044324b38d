//! `NewDonor`: somebody gave, and is to be known by name.

use serde::Deserialize;
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
    #[error("not a donor: {0}")]
    Malformed(serde_json::Error),
    #[error("the donor's name is empty")]
    NoName,
}

impl Donor {
    fn from_body(body: &Value) -> Result<Self, DonorError> {
        #[derive(Deserialize)]
        struct Wire {
            name: String,
        }
        let wire = Wire::deserialize(body).map_err(DonorError::Malformed)?;
        if wire.name.trim().is_empty() { Err(DonorError::NoName) } else { Ok(Self { name: wire.name }) }
    }
}

impl Job for NewDonor {
    fn name(&self) -> &'static str {
        "NewDonor"
    }

    fn fits(&self, body: &Value) -> bool {
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
