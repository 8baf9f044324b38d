//! The `s3-object-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use s3_object_logger::{Config, ObjectLogger};
use sluicegate::{
    aws::{self, dynamodb::DynamoDbStore, sns::SnsPublisher},
    runtime,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::run(
        |lookup| {
            let sdk = aws::config(lookup);
            let (config, port) = (Config::from_lookup(lookup)?, SnsPublisher::new(&sdk));
            Ok(ObjectLogger::new(config, port, |table| DynamoDbStore::new(&sdk, table)))
        },
        ObjectLogger::handle,
    )
    .await
}
