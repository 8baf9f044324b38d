//! The `scheduled-poller` function. What it does is in the library beside this file.

use std::{process::ExitCode, sync::Arc};

use scheduled_poller::{Config, Poller};
use sluicegate::{
    aws::{self, lambda::LambdaFunction, sqs::SqsQueue},
    clock::SystemClock,
    runtime,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::run(
        |lookup| {
            let config = Config::from_lookup(lookup)?;
            let sdk = aws::config(lookup);
            let worker = LambdaFunction::new(&sdk, config.worker_function.clone());
            Ok(Poller::new(config, SqsQueue::new(&sdk), worker, Arc::new(SystemClock)))
        },
        Poller::handle,
    )
    .await
}
