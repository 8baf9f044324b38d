//! Logs the subject of every notification of a topic, as a warning where its attribute `severity` says so.

use std::process::ExitCode;

use sluicegate::{
    events::{MessageAttribute, notifications},
    lambda::{self, Invocation, InvocationError},
};

/// One record that cannot be read is one line in the log; the others go on.
#[allow(clippy::unused_async, reason = "handlers are asynchronous; this one has nothing to wait for")]
pub(crate) async fn handle((): &(), event: &str, _: &Invocation) -> Result<(), InvocationError> {
    for record in notifications(event)? {
        let notification = match record {
            Ok(notification) => notification,
            Err(problem) => {
                tracing::error!(%problem, "record refused");
                continue;
            }
        };
        let (id, subject) = (&notification.message_id, notification.subject.as_deref());
        if notification.attributes.get("severity").and_then(MessageAttribute::as_text) == Some("warning") {
            tracing::warn!(record.message_id = %id, subject, "attention wanted");
        } else {
            tracing::info!(record.message_id = %id, subject, "notification received");
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(|_| Ok(()), handle).await
}
