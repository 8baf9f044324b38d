//! The `sns-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::notifications::{self, Notification};
use sns_logger::{Config, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    notifications::run_with(|settings| {
        let config = Config::read(settings)?;
        Some(async move |notification: &Notification| {
            log(&config, notification);
            Ok(())
        })
    })
    .await
}
