//! Logs the name of every object S3 tells of, by whatever way the event comes: straight, or through SNS, SQS, EventBridge.

use std::process::ExitCode;

use sluicegate::{
    events::object_events,
    lambda::{self, Invocation, InvocationError},
};

/// Keys are decoded, folders and S3's test event known, and a record that cannot be read disturbs no other.
#[allow(clippy::unused_async, reason = "handlers are asynchronous; this one has nothing to wait for")]
pub(crate) async fn handle((): &(), event: &str, _: &Invocation) -> Result<(), InvocationError> {
    let events = object_events(event)?;
    for object in &events.objects {
        tracing::info!(
            bucket.name = %object.bucket,
            object.key = %object.key,
            object.size_bytes = object.size_bytes,
            event.name = %object.name,
            route = %object.route,
            "object event"
        );
    }
    for refusal in &events.refused {
        tracing::error!(problem = %refusal.problem, "record refused");
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(|_| Ok(()), handle).await
}
