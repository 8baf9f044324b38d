//! A function that is told of S3's objects, by whatever way, from `main` to the answer.
//!
//! ```no_run
#![doc = include_str!("../examples/object-names.rs")]
//! ```
//!
//! S3's notifications and S3's events of EventBridge are taken, alone or inside SNS and SQS, see [`read_object_events`]. A record
//! that cannot be read is a line `record refused`: out of a queue it is named in the answer and comes again, else the
//! invocation fails once the others had their turn, since Lambda keeps the event only then. A handler that fails fails the
//! invocation too, and the whole event comes again; where objects come by a queue, [`queue`](crate::queue) settles each
//! message for itself.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    clock::{Clock, SystemClock},
    delivery::BatchItemFailure,
    events::{ObjectEvents, Refusal, read_object_events},
    runtime::{self, InvocationError},
    settings::Settings,
    telemetry::Metrics,
};

pub use crate::{delivery::RecordError, events::ObjectEvent};

/// What the function answers. A queue's mapping reads `batchItemFailures` and ignores the rest; all else that calls the
/// function ignores the answer.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Objects that were handled.
    pub done: usize,
    /// The refused records of a queue, each once; empty when no queue is involved.
    #[serde(rename = "batchItemFailures")]
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// Runs a function of objects until Lambda ends the process.
pub async fn run(handler: impl AsyncFn(&ObjectEvent) -> Result<(), RecordError>) -> ExitCode {
    run_with(|_| Some(handler)).await
}

/// As [`run`], with a handler that is built from settings. `None` says that one which must be there is not.
pub async fn run_with<H: AsyncFn(&ObjectEvent) -> Result<(), RecordError>>(
    build: impl FnOnce(&mut Settings<'_>) -> Option<H>,
) -> ExitCode {
    runtime::run(|lookup| Settings::of(lookup, build), async |handler: &H, event, _| handle(event, handler).await).await
}

/// One invocation.
pub async fn handle(
    event: &str,
    handler: &impl AsyncFn(&ObjectEvent) -> Result<(), RecordError>,
) -> Result<Summary, InvocationError> {
    let found = read_object_events(event)?;
    let mut failed = Vec::new();
    for object in &found.objects {
        if let Err(reason) = handler(object).await {
            tracing::error!(bucket.name = %object.bucket, object.key = %object.key, %reason, "record failed");
            failed.push(reason);
        }
    }
    log_others(&found);
    InvocationError::of_records(&failed)?;
    Ok(Summary { done: found.objects.len(), batch_item_failures: batch_item_failures(&found)? })
}

/// Logs what an event holds beside objects, and its metrics.
pub fn log_others(found: &ObjectEvents) {
    found.ignored.warn();
    for test_event in &found.test_events {
        tracing::info!(bucket.name = %test_event.bucket, route = %test_event.route, "test event acknowledged");
    }
    found.refused.iter().for_each(log_refusal);
    let occurred = found.objects.iter().filter_map(|object| object.occurred_at).map(Into::into);
    Metrics::new()
        .batch(found.objects.len() + found.test_events.len() + found.refused.len())
        .count("RecordsMalformed", found.refused.len())
        .ages(occurred, SystemClock.now())
        .emit();
}

fn log_refusal(refusal: &Refusal) {
    tracing::error!(
        record.message_id = refusal.message_id,
        topic.arn = refusal.topic_arn,
        bucket.name = refusal.bucket,
        object.key = refusal.key,
        problem = %refusal.problem,
        "record refused"
    );
}

/// Names a queue's refused records, each once: a message may hold several bad ones. Where nobody reads an answer, a
/// refused record fails the invocation.
pub fn batch_item_failures(found: &ObjectEvents) -> Result<Vec<BatchItemFailure>, InvocationError> {
    let mut failures: Vec<BatchItemFailure> = Vec::new();
    for refusal in &found.refused {
        if !found.is_from_queue {
            return Err(InvocationError::new("RecordsRefused", refused_text(refusal, found.refused.len())));
        }
        let Some(id) = refusal.message_id.as_deref() else {
            return Err(InvocationError::because("RecordWithoutMessageId", &refusal.problem));
        };
        if failures.iter().all(|failure| failure.item_identifier != id) {
            failures.push(BatchItemFailure { item_identifier: id.to_owned() });
        }
    }
    Ok(failures)
}

/// Names the first; each has its line.
fn refused_text(first: &Refusal, refused: usize) -> String {
    let Refusal { message_id, topic_arn, bucket, key, problem } = first;
    let names = [("message", message_id), ("topic", topic_arn), ("bucket", bucket), ("key", key)];
    let names: Vec<String> =
        names.iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?))).collect();
    let names = if names.is_empty() { "without a name".to_owned() } else { names.join(", ") };
    format!("{refused} refused, the first {names}: {problem}")
}

#[cfg(test)]
mod tests;
