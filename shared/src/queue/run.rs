//! The process of a function on a queue.

use std::process::ExitCode;

use super::{IntoWork, QueueSettings, Work, Worker};
use crate::{
    aws::{self, sqs::SqsQueue},
    runtime,
    settings::{Lookup, Settings, SettingsError},
};

/// Runs a function on a queue until Lambda ends the process.
pub async fn run<By>(handler: impl IntoWork<By>) -> ExitCode {
    run_with(|_| Some(handler.into_work())).await
}

/// As [`run`], with work that is built from settings of its own. What is wrong with them is named together with what is
/// wrong with the queue's. `None` says that a setting which must be there is not.
///
/// ```no_run
/// # use std::process::ExitCode;
/// # use sluicegate::queue::{self, Record, RecordError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> ExitCode {
/// queue::run_with(|settings| {
///     let registry: String = settings.required("REGISTRY_URL")?;
///     Some(async move |record: &Record| {
///         println!("{} goes to {registry}", record.message_id);
///         Ok::<(), RecordError>(())
///     })
/// })
/// .await
/// # }
/// ```
pub async fn run_with<W: Work>(build: impl FnOnce(&mut Settings<'_>) -> Option<W>) -> ExitCode {
    runtime::run(|lookup| worker(lookup, build), Worker::handle).await
}

/// As [`run`], for Lambda Managed Instances: see [`runtime::run_concurrent`]. Each invocation has `BATCH_CONCURRENCY`
/// records at work; a process that dies tells nothing of the record it died of, so that such a record is given up only
/// by the queue's `maxReceiveCount`.
pub async fn run_concurrent<By>(handler: impl IntoWork<By>) -> ExitCode {
    runtime::run_concurrent(|lookup| worker(lookup, |_| Some(handler.into_work())), Worker::handle).await
}

#[cfg(feature = "aws-dynamodb")]
type Store = aws::dynamodb::DynamoDbStore;
#[cfg(not(feature = "aws-dynamodb"))]
type Store = crate::idempotency::MemoryStore;

fn worker<W: Work>(
    lookup: Lookup<'_>,
    build: impl FnOnce(&mut Settings<'_>) -> Option<W>,
) -> Result<Worker<W, SqsQueue, Store>, SettingsError> {
    let (queue, work) = QueueSettings::with(lookup, |settings| {
        if cfg!(not(feature = "aws-dynamodb")) && lookup("IDEMPOTENCY_TABLE").is_some_and(|table| !table.is_empty()) {
            settings.refuse("IDEMPOTENCY_TABLE is set, and this function is built without the feature aws-dynamodb");
        }
        build(settings)
    })?;
    let sdk = aws::config(lookup);
    let worker = Worker::new(queue, work, SqsQueue::new(&sdk));
    #[cfg(feature = "aws-dynamodb")]
    let worker = worker.with_store(|table| aws::dynamodb::DynamoDbStore::new(&sdk, table));
    Ok(worker)
}
