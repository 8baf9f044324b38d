//! The `sns-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::lambda;
use sns_logger::{Config, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(Config::from_lookup, handle).await
}
