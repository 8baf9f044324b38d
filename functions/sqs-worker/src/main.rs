//! The `sqs-worker` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::{
    aws::{self, dynamodb::DynamoDbStore, sqs::SqsQueue},
    lambda,
};
use sqs_worker::{Config, Worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(
        |lookup| {
            let config = Config::from_lookup(lookup)?;
            let sdk = aws::config(lookup);
            Ok(Worker::new(config, SqsQueue::new(&sdk), |table| DynamoDbStore::new(&sdk, table)))
        },
        Worker::handle,
    )
    .await
}
