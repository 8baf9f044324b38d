//! The `sqs-worker` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::{
    aws::{self, sqs::SqsQueue},
    lambda,
};
use sqs_worker::{Config, Worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(
        |lookup| {
            let config = Config::from_lookup(lookup)?;
            Ok(Worker::new(config, SqsQueue::new(&aws::config(lookup))))
        },
        Worker::handle,
    )
    .await
}
