//! A function that transforms what Firehose delivers, from `main` to the answer.
//!
//! ```no_run
//! use sluicegate::firehose::{self, FirehoseRecord, RecordError, Transformed};
//!
//! async fn trim(record: &FirehoseRecord<'_>) -> Result<Transformed, RecordError> {
//!     let line = record.body.trim_ascii();
//!     Ok(if line.is_empty() { Transformed::Dropped } else { Transformed::Body([line, b"\n"].concat()) })
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     firehose::run(async |record, _| trim(record).await).await
//! }
//! ```
//!
//! Every record is answered once, within the size that Firehose takes. One that fails keeps its bytes and goes to the
//! error prefix, see [`transform`].

use std::{process::ExitCode, time::Duration};

use tokio::time::Instant;

use crate::{
    deadline::{Deadline, unknown_deadline},
    delivery::{Transformation, TransformationResponse, TransformationResult, transform},
    events::read_firehose_batch,
    runtime::{self, InvocationError},
    settings::Settings,
    telemetry::Metrics,
};

pub use crate::{
    delivery::{RecordError, Transformed},
    events::{FirehoseBatch, FirehoseRecord},
};

/// One line a failed record, up to here: when a producer sends nothing but rubbish, thousands of lines an invocation say
/// no more.
const MAX_FAILURES_LOGGED: usize = 100;

/// What makes a delivered record of one that was put; the text is the stream's name, where the event says it.
pub trait Transform: AsyncFn(&FirehoseRecord<'_>, Option<&str>) -> Result<Transformed, RecordError> {}
impl<F: AsyncFn(&FirehoseRecord<'_>, Option<&str>) -> Result<Transformed, RecordError>> Transform for F {}

/// Runs a transformation until Lambda ends the process.
pub async fn run(transform: impl Transform) -> ExitCode {
    run_with(|_| Some(transform)).await
}

/// As [`run`], with a transformation that is built from settings. `None` says that one which must be there is not.
pub async fn run_with<T: Transform>(build: impl FnOnce(&mut Settings<'_>) -> Option<T>) -> ExitCode {
    runtime::run(
        |lookup| Settings::of(lookup, |settings| Some((unknown_deadline(settings), build(settings)?))),
        async |(unknown_deadline, transform): &(Duration, T), event, invocation| {
            handle(event, invocation.remaining.unwrap_or(*unknown_deadline), transform).await
        },
    )
    .await
}

/// One invocation, with the time that is left for it.
pub async fn handle(
    event: &str,
    remaining: Duration,
    handler: &impl Transform,
) -> Result<TransformationResponse<'static>, InvocationError> {
    let started = Instant::now();
    let mut batch = read_firehose_batch(event)?;
    batch.ignored.warn();
    let records = std::mem::take(&mut batch.records);
    let work = async |record: &FirehoseRecord<'_>| handler(record, batch.source_name()).await;
    let Transformation { response, failures, without_data } =
        transform(records, Deadline::after(Some(remaining)), &work).await;
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
