//! The `mq-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use mq_logger::{Config, handle};
use sluicegate::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(Config::from_lookup, handle).await
}
