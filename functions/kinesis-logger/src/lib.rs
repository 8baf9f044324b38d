//! Logs the records of a Kinesis data stream, in the order of each shard.
//!
//! Takes the event source mapping's invocation and answers `batchItemFailures`: the sequence number at which a shard
//! stopped, or nothing. A record that cannot be read stops its shard, as does the end of the time. What happens to it then
//! is the mapping's to say: see [`process_stream`]. It calls no AWS service.
//!
//! Data that is text is logged as text, other data in hex, both cut. Records that the Kinesis Producer Library has
//! aggregated are recognised and not taken apart.

use std::time::{Duration, SystemTime};

use sluicegate::{
    clock::Clock,
    delivery::{BatchResponse, Deadline, RecordError, StreamReport, process_stream},
    events::{StreamRecord, stream_records},
    lambda::{Invocation, InvocationError},
    preview::Preview,
    settings::{Settings, SettingsError},
    telemetry::Metrics,
};
use tokio::time::Instant;

/// The function's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOGGED_DATA_MAX_BYTES`, default 1,024: at most so much of a record's data is logged, as text or as hex.
    pub logged_data_max_bytes: usize,
    /// `FAIL_WHOLE_BATCH` (default true): fail the invocation when nothing of a batch is done, so that Lambda halves it.
    pub fail_whole_batch: bool,
    /// `UNKNOWN_DEADLINE_MS` (default 3,000): the time a batch takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let logged_data_max_bytes = settings.within("LOGGED_DATA_MAX_BYTES", 1_024, 0..=250_000);
        let fail_whole_batch = settings.or("FAIL_WHOLE_BATCH", true);
        let unknown_deadline = Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", 3_000, 1_000..=900_000));
        settings.finish(Self { logged_data_max_bytes, fail_whole_batch, unknown_deadline })
    }
}

/// The function's state.
#[derive(Debug)]
pub struct StreamLogger<C> {
    config: Config,
    clock: C,
}

impl<C: Clock> StreamLogger<C> {
    /// `clock` tells how old a record is.
    pub fn new(config: Config, clock: C) -> Self {
        Self { config, clock }
    }

    /// Handles one invocation.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<BatchResponse, InvocationError> {
        let started = Instant::now();
        let Some(batch) = stream_records(event)? else {
            return Ok(BatchResponse::default());
        };
        batch.ignored.warn();
        let remaining = invocation.remaining.unwrap_or(self.config.unknown_deadline);
        let deadline = Deadline::after(Some(remaining));
        let log = async |record: &StreamRecord| {
            self.log(record);
            Ok::<(), RecordError>(())
        };
        let report = process_stream(batch, deadline, &log).await;
        report.log(started.elapsed());
        self.metrics(&report).emit();
        let response = report.response(self.config.fail_whole_batch);
        response.map_err(|error| InvocationError::because("NothingDone", &error))
    }

    fn log(&self, record: &StreamRecord) {
        let preview = Preview::of(&record.body, self.config.logged_data_max_bytes);
        tracing::info!(
            record.sequence_number = record.sequence_number,
            record.partition_key = record.partition_key,
            shard.id = record.shard_id,
            record.age_ms = record.arrived_at.and_then(|arrived_at| self.age_ms(arrived_at.into())),
            body = &*preview.shown,
            record.data_bytes = record.body.len(),
            record.data_encoding = preview.encoding.as_str(),
            record.truncated = preview.is_truncated.then_some(true),
            record.aggregated = record.is_aggregated().then_some(true),
            "stream record received"
        );
    }

    /// How long ago that was; nothing where the stream's clock is ahead of ours.
    fn age_ms(&self, arrived_at: SystemTime) -> Option<u64> {
        let age = self.clock.now().duration_since(arrived_at).unwrap_or_default();
        u64::try_from(age.as_millis()).ok()
    }

    fn metrics(&self, report: &StreamReport) -> Metrics {
        let read = || report.records.iter().flatten();
        let arrived = read().filter_map(|record| record.arrived_at).map(SystemTime::from);
        Metrics::of("stream", report.stream.name())
            .batch(report.records.len())
            .count("RecordsMalformed", report.records.len() - read().count())
            .outcomes(&report.outcomes)
            .ages(arrived, self.clock.now())
    }
}

#[cfg(test)]
mod tests;
