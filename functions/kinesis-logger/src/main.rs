//! The `kinesis-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use kinesis_logger::{Config, StreamLogger};
use sluicegate::{clock::SystemClock, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(|lookup| Ok(StreamLogger::new(Config::from_lookup(lookup)?, SystemClock)), StreamLogger::handle).await
}
