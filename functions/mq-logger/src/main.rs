//! The `mq-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use mq_logger::{Config, log};
use sluicegate::broker::{self, BrokerMessage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    broker::run_with(|settings| {
        let config = Config::read(settings)?;
        Some(async move |message: &BrokerMessage, broker_arn: Option<&str>| {
            log(&config, message, broker_arn);
            Ok(())
        })
    })
    .await
}
