//! The `kinesis-logger` function. What it does is in the library beside this file.

use std::process::ExitCode;

use kinesis_logger::Config;
use sluicegate::{
    clock::SystemClock,
    stream::{self, StreamRecord},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    stream::run_with(|settings| {
        let config = Config::read(settings)?;
        Some(async move |record: &StreamRecord| {
            config.log(&SystemClock, record);
            Ok(())
        })
    })
    .await
}
