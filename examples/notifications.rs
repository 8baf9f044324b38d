//! Logs the subject of every notification of a topic, as a warning where its attribute `severity` says so.

use std::process::ExitCode;

use sluicegate::{
    events::{MessageAttribute, notifications},
    lambda::{self, Invocation, InvocationError},
};

/// A record that cannot be read is a line in the log and fails the invocation, so that Lambda keeps the event.
#[allow(clippy::unused_async, reason = "handlers are asynchronous; this one has nothing to wait for")]
pub(crate) async fn handle((): &(), event: &str, _: &Invocation) -> Result<(), InvocationError> {
    let mut refused = 0;
    for record in notifications(event)?.records {
        let Ok(notification) = record.inspect_err(|bad| tracing::error!(problem = %bad.problem, "record refused"))
        else {
            refused += 1;
            continue;
        };
        let (id, subject) = (notification.message_id.as_deref(), notification.subject.as_deref());
        if notification.attributes.get("severity").and_then(MessageAttribute::as_text) == Some("warning") {
            tracing::warn!(record.message_id = id, subject, "attention wanted");
        } else {
            tracing::info!(record.message_id = id, subject, "notification received");
        }
    }
    if refused == 0 { Ok(()) } else { Err(InvocationError::new("RecordsRefused", format!("{refused} refused"))) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(|_| Ok(()), handle).await
}
