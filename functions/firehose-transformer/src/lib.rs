//! Cleans up the records of a Firehose stream on their way to the bucket.
//!
//! A record holds one JSON object or several lines of them. What is delivered is lines: one object each, without white
//! space around or inside, with the fields `ingested_at` (when the stream took the record: RFC 3339, UTC, milliseconds) and
//! `source` (the Kinesis data stream's name, or with direct put the delivery stream's) where they are not there already.
//! What the event does not say is not added. Everything else stays as it is written: the order of fields, nulls, and every digit of a number. Lines that `DROP_WHEN`
//! names are left out.
//!
//! Firehose takes one answer a record. One line that is no JSON object fails the whole record, which Firehose keeps under
//! its error prefix as it was put; a record of which no line is left is dropped. It calls no AWS service.

mod config;
mod drop_rule;
mod line;

use sluicegate::{
    delivery::{
        Deadline, RecordError, Transformation, TransformationResponse, TransformationResult, Transformed, transform,
    },
    events::{FirehoseRecord, Foreign, firehose_batch},
    lambda::{Invocation, InvocationError},
    telemetry::Metrics,
};
use tokio::time::Instant;

pub use self::{
    config::Config,
    drop_rule::{DropRule, DropRuleError},
};

/// One line a failed record, up to here: when a producer sends nothing but rubbish, thousands of lines an invocation say
/// no more.
const MAX_FAILURES_LOGGED: usize = 100;

/// Handles one invocation.
pub async fn handle(
    config: &Config,
    event: &str,
    invocation: &Invocation,
) -> Result<TransformationResponse<'static>, InvocationError> {
    let started = Instant::now();
    let mut batch = firehose_batch(event)?;
    batch.ignored.warn();
    let records = std::mem::take(&mut batch.records);
    let remaining = invocation.remaining.unwrap_or(config.unknown_deadline);
    let deadline = Deadline::after(Some(remaining));
    let handler = async |record: &FirehoseRecord<'_>| cleaned(config, batch.source_name(), record);
    let Transformation { response, failures, without_data } = transform(records, deadline, &handler).await;
    for (place, error) in failures.iter().take(MAX_FAILURES_LOGGED) {
        tracing::warn!(record.id = %response.records[*place].record_id, reason = %error, "record failed");
    }
    if let Some(unlogged) = failures.len().checked_sub(MAX_FAILURES_LOGGED).filter(|unlogged| *unlogged > 0) {
        tracing::warn!(records = unlogged, "more records failed");
    }
    tracing::info!(
        stream.name = batch.stream_name(),
        batch.size = response.records.len(),
        batch.ok = response.count(TransformationResult::Ok),
        batch.dropped = response.count(TransformationResult::Dropped),
        batch.failures = failures.len(),
        batch.without_data = (without_data > 0).then_some(without_data),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "batch finished"
    );
    Metrics::of("stream", batch.stream_name())
        .batch(response.records.len())
        .count("RecordsDropped", response.count(TransformationResult::Dropped))
        .count("RecordsFailed", failures.len())
        .count("RecordsWithoutData", without_data)
        .emit();
    Ok(response.into_owned())
}

/// What is delivered in a record's place.
fn cleaned(config: &Config, source: Option<&str>, record: &FirehoseRecord<'_>) -> Result<Transformed, RecordError> {
    if Foreign::is_gzip(&record.body) {
        return Err(RecordError::reject(Foreign::Gzip));
    }
    let objects = line::objects(&record.body).map_err(RecordError::reject)?;
    let ingested_at = record.arrived_at.map(|time| time.format("%FT%T%.3fZ").to_string());
    let enrichment = [("ingested_at", ingested_at.as_deref()), ("source", source)];
    let mut lines = String::with_capacity(record.body.len() + objects.len() * 64);
    for object in objects.into_iter().filter(|object| !config.drop_rule.drops(object)) {
        object.write(&mut lines, &enrichment);
    }
    Ok(if lines.is_empty() { Transformed::Dropped } else { Transformed::Body(lines.into_bytes()) })
}

#[cfg(test)]
mod tests;
