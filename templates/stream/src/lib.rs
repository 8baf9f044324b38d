//! {{ description }}.
//!
//! A shard runs in order, up to its first record that is not done, from which Lambda begins again. All else is
//! [`sluicegate::stream`]'s.
//!
//! Logs `record handled`, with `record.sequence_number`, `shard.id` and `record.data_bytes`.

use sluicegate::stream::{RecordError, StreamRecord};

/// Handles one record.
#[allow(clippy::unused_async, reason = "what a handler calls is awaited")]
pub async fn handle(record: &StreamRecord) -> Result<(), RecordError> {
    tracing::info!(
        record.sequence_number = record.sequence_number,
        shard.id = record.shard_id,
        record.data_bytes = record.body.len(),
        "record handled"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use sluicegate::{
        clock::SystemClock,
        runtime::Invocation,
        settings::Settings,
        stream::{self, StreamSettings},
    };

    use super::*;

    #[tokio::test]
    async fn the_sample_is_done() {
        let settings = StreamSettings::read(&mut Settings::new(&|_| None));
        let invocation = Invocation { request_id: "r".to_owned(), remaining: None };
        let event = include_str!("../events/records.json");
        let answer = stream::handle(&settings, &SystemClock, event, &invocation, &handle).await.unwrap();
        assert!(answer.batch_item_failures.is_empty());
    }
}
