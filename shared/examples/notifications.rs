//! Logs the subject of every notification of a topic, as a warning where its attribute `severity` says so.

use sluicegate::notifications::{self, Notification};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    notifications::run(async |notification: &Notification| {
        let (id, subject) = (notification.message_id.as_deref(), notification.subject.as_deref());
        let severity = notification.attributes.get("severity").and_then(|attribute| attribute.as_text());
        if severity == Some("warning") {
            tracing::warn!(record.message_id = id, subject, "attention wanted");
        } else {
            tracing::info!(record.message_id = id, subject, "notification received");
        }
        Ok(())
    })
    .await
}
