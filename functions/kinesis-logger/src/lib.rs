//! Logs the records of a Kinesis data stream, in the order of each shard.
//!
//! A record that cannot be read stops its shard, as does the end of the time: see [`sluicegate::stream`]. It calls no AWS
//! service. Data that is text is logged as text, other data in hex, both cut. Records that the Kinesis Producer Library has
//! aggregated are recognised and not taken apart.

use std::time::SystemTime;

use sluicegate::{clock::Clock, events::StreamRecord, preview::Preview, settings::Settings};

/// The function's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOGGED_DATA_MAX_BYTES`, default 1,024: at most so much of a record's data is logged, as text or as hex.
    pub logged_data_max_bytes: usize,
}

impl Config {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        Some(Self { logged_data_max_bytes: settings.within("LOGGED_DATA_MAX_BYTES", 1_024, 0..=250_000) })
    }

    /// Logs a record; `clock` tells how old it is.
    pub fn log(&self, clock: &impl Clock, record: &StreamRecord) {
        let preview = Preview::of(&record.body, self.logged_data_max_bytes);
        tracing::info!(
            record.sequence_number = record.sequence_number,
            record.partition_key = record.partition_key,
            shard.id = record.shard_id,
            record.age_ms = record.arrived_at.and_then(|arrived_at| age_ms(clock, arrived_at.into())),
            body = &*preview.shown,
            record.data_bytes = record.body.len(),
            record.data_encoding = preview.encoding.as_str(),
            record.truncated = preview.is_truncated.then_some(true),
            record.aggregated = record.is_aggregated().then_some(true),
            "stream record received"
        );
    }
}

/// How long ago that was; nothing where the stream's clock is ahead of ours.
fn age_ms(clock: &impl Clock, arrived_at: SystemTime) -> Option<u64> {
    let age = clock.now().duration_since(arrived_at).unwrap_or_default();
    u64::try_from(age.as_millis()).ok()
}

#[cfg(test)]
mod tests;
