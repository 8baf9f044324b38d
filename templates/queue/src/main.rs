//! The `{{ project_name }}` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::queue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    queue::run({{ project_name | replace: "-", "_" }}::handle).await
}
