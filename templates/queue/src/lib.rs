//! {{ description }}.
//!
//! A message that is not JSON of the right shape goes to the dead-letter queue with the reason; any error with `?` brings it back
//! later. All else is [`sluicegate::queue`]'s.
//!
//! Logs `message handled`, with `record.message_id` and `message.amount_cents`.

use sluicegate::queue::{Json, Record, RecordError};

/// What a message asks for.
#[derive(Debug, serde::Deserialize)]
pub struct Message {
    amount_cents: u64,
}

/// Handles one message.
#[allow(clippy::unused_async, reason = "what a handler calls is awaited")]
pub async fn handle(Json(message): Json<Message>, record: &Record) -> Result<(), RecordError> {
    tracing::info!(
        record.message_id = %record.message_id,
        message.amount_cents = message.amount_cents,
        "message handled"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use sluicegate::{
        delivery::Disposition,
        events,
        queue::{self, Work},
    };

    use super::*;

    fn sample() -> Record {
        let batch = events::read_batch(include_str!("../events/message.json")).unwrap().unwrap();
        batch.records.into_iter().next().unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_sample_is_done() {
        let (work, record) = (queue::handler(handle), sample());
        work.run(&record, work.read(&record).unwrap()).await.unwrap();
    }

    #[test]
    fn what_is_no_message_is_never_tried_again() {
        let mut record = sample();
        record.body = "no JSON".into();
        let refused = queue::handler(handle).read(&record).map(drop).unwrap_err();
        assert_eq!(refused.disposition(), Disposition::Reject);
    }
}
