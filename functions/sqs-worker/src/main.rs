//! The `sqs-worker` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::queue;
use sqs_worker::Jobs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    queue::run_with(Jobs::read).await
}
