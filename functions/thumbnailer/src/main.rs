//! The `thumbnailer` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::{
    aws::{self, s3::S3Objects},
    queue,
    settings::environment,
};
use thumbnailer::{Config, Thumbnails};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    queue::run_with(|settings| {
        Some(Thumbnails::new(Config::read(settings)?, S3Objects::new(&aws::config(environment))))
    })
    .await
}
