//! The `thumbnailer` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::{
    aws::{self, dynamodb::DynamoDbStore, s3::S3Objects, sqs::SqsQueue},
    lambda,
};
use thumbnailer::{Config, Thumbnailer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(
        |lookup| {
            let config = Config::from_lookup(lookup)?;
            let sdk = aws::config(lookup);
            let (objects, queue) = (S3Objects::new(&sdk), SqsQueue::new(&sdk));
            Ok(Thumbnailer::new(config, objects, queue, |table| DynamoDbStore::new(&sdk, table)))
        },
        Thumbnailer::handle,
    )
    .await
}
