//! The `{{ project_name }}` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::stream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    stream::run({{ project_name | replace: "-", "_" }}::handle).await
}
