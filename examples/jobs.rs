//! Works on the jobs of a queue: a job that fails is delivered again, and its neighbours are not.

use std::process::ExitCode;

use sluicegate::{
    aws::{self, sqs::SqsQueue},
    delivery::{BatchResponse, DeadLetterQueue, Deadline, Engine, Policy, RecordError, SourceQueue, payload},
    events::{Record, batch},
    lambda::{self, Invocation, InvocationError},
};

#[derive(serde::Deserialize)]
struct Donor {
    name: String,
}

async fn register(record: &Record) -> Result<(), RecordError> {
    let Donor { name } = payload(record)?; // A body that is no donor is rejected: it would be none next time either.
    tracing::info!(record.message_id = %record.message_id, donor.name_chars = name.chars().count(), "donor registered");
    Ok(())
}

/// Lambda deletes what the answer does not name.
pub(crate) async fn handle(
    engine: &Engine<impl SourceQueue + DeadLetterQueue>,
    event: &str,
    invocation: &Invocation,
) -> Result<BatchResponse, InvocationError> {
    let deadline = Deadline::after(invocation.remaining);
    let Some(batch) = batch(event)? else { return Ok(BatchResponse::default()) };
    let report = engine.run(batch, deadline, &register).await;
    report.response().map_err(|error| InvocationError::because("WholeBatchFailed", &error))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let engine = |queue| Engine::new(queue, Policy::default());
    lambda::run(|lookup| Ok(engine(SqsQueue::new(&aws::config(lookup)))), handle).await
}
