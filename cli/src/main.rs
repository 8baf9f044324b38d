//! The `sluice` command. What it does is in the library beside this file.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::run(std::env::args_os()).await
}
