//! A function whose records wait for each other over two invocations: run one at a time, none would ever be done.

use std::{process::ExitCode, sync::Arc};

use sluicegate::queue::{self, Record, RecordError};
use tokio::sync::Barrier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let both = Arc::new(Barrier::new(2));
    queue::run_concurrent(async move |record: &Record| {
        both.wait().await;
        tracing::info!(record.message_id, "met");
        Ok::<(), RecordError>(())
    })
    .await
}
