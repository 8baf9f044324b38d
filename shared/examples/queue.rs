//! Registers donors from a queue.

use sluicegate::queue::{self, Json, RecordError};

#[derive(serde::Deserialize)]
struct Donor {
    name: String,
}

async fn register(Json(donor): Json<Donor>) -> Result<(), RecordError> {
    tracing::info!(donor.name_chars = donor.name.chars().count(), "donor registered");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    queue::run(register).await
}
