//! A function on a Kinesis data stream or the stream of a DynamoDB table, from `main` to the answer.
//!
//! ```no_run
//! use sluicegate::stream::{self, RecordError, TableChange};
//!
//! async fn follow(change: &TableChange) -> Result<(), RecordError> {
//!     tracing::info!(kind = ?change.kind, "a donor changed");
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     stream::run(follow).await
//! }
//! ```
//!
//! The type of the record says which kind of stream it is: [`StreamRecord`] is Kinesis's. A shard runs in order, up to its
//! first record that is not done, and the answer names that one: the mapping must say `ReportBatchItemFailures`. What
//! happens then is the mapping's to say, see [`process_stream`].

use std::{process::ExitCode, time::Duration};

use tokio::time::Instant;

use crate::{
    clock::{Clock, SystemClock},
    deadline::{Deadline, unknown_deadline},
    delivery::{BatchResponse, StreamReport, process_stream},
    runtime::{self, Invocation, InvocationError},
    settings::Settings,
    telemetry::Metrics,
};

pub use crate::{
    delivery::RecordError,
    events::{Sequenced, StreamRecord, TableChange},
};

/// What the environment says to any function on a stream.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// `FAIL_WHOLE_BATCH` (default true): fail the invocation when nothing of a batch is done, so that Lambda halves it.
    pub fail_whole_batch: bool,
    /// `UNKNOWN_DEADLINE_MS` (default 3,000): the time a batch takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
}

impl StreamSettings {
    /// Reads them.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self { fail_whole_batch: settings.or("FAIL_WHOLE_BATCH", true), unknown_deadline: unknown_deadline(settings) }
    }
}

/// Runs a function on a stream until Lambda ends the process.
pub async fn run<R: Sequenced>(handler: impl AsyncFn(&R) -> Result<(), RecordError>) -> ExitCode {
    run_with(|_| Some(handler)).await
}

/// As [`run`], with a handler that is built from settings. `None` says that one which must be there is not.
pub async fn run_with<R: Sequenced, H: AsyncFn(&R) -> Result<(), RecordError>>(
    build: impl FnOnce(&mut Settings<'_>) -> Option<H>,
) -> ExitCode {
    runtime::run(
        |lookup| Settings::of(lookup, |settings| Some((StreamSettings::read(settings), build(settings)?))),
        async |(settings, handler): &(StreamSettings, H), event, invocation| {
            handle(settings, &SystemClock, event, invocation, handler).await
        },
    )
    .await
}

/// One invocation. `clock` tells how old records are.
pub async fn handle<R: Sequenced>(
    settings: &StreamSettings,
    clock: &impl Clock,
    event: &str,
    invocation: &Invocation,
    handler: &impl AsyncFn(&R) -> Result<(), RecordError>,
) -> Result<BatchResponse, InvocationError> {
    let started = Instant::now();
    let Some(batch) = R::read(event)? else {
        return Ok(BatchResponse::default());
    };
    batch.ignored.warn();
    let deadline = Deadline::after(Some(invocation.remaining.unwrap_or(settings.unknown_deadline)));
    let report = process_stream(batch, deadline, handler).await;
    report.log(started.elapsed());
    measure(&report, clock);
    let response = report.response(settings.fail_whole_batch);
    response.map_err(|error| InvocationError::because("NothingDone", &error))
}

fn measure<R: Sequenced>(report: &StreamReport<R>, clock: &impl Clock) {
    let read = || report.records.iter().flatten();
    Metrics::of("stream", report.stream.name())
        .batch(report.records.len())
        .count("RecordsMalformed", report.records.len() - read().count())
        .outcomes(&report.outcomes)
        .ages(read().filter_map(Sequenced::arrived_at).map(Into::into), clock.now())
        .emit();
}

#[cfg(test)]
mod tests;
