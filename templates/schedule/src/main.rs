//! The `{{ project_name }}` function. What it does is in the library beside this file.

use std::process::ExitCode;

use sluicegate::{runtime, settings::SettingsError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::run(|_| Ok::<(), SettingsError>(()), async |(), event, _| {{ project_name | replace: "-", "_" }}::handle(event).await).await
}
