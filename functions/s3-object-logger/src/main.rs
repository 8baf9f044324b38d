//! The `s3-object-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use s3_object_logger::{Config, ObjectLogger};
use sluicegate::{
    aws::{self, sns::SnsPublisher},
    lambda,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(
        |lookup| {
            let publisher = SnsPublisher::new(&aws::config(lookup));
            Ok(ObjectLogger::new(Config::from_lookup(lookup)?, publisher))
        },
        ObjectLogger::handle,
    )
    .await
}
