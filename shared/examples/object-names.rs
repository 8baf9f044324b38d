//! Logs the name of every object S3 tells of, by whatever way the event comes: straight, or through SNS, SQS, EventBridge.

use sluicegate::objects::{self, ObjectEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    objects::run(async |object: &ObjectEvent| {
        tracing::info!(
            bucket.name = %object.bucket,
            object.key = %object.key,
            object.size_bytes = object.size_bytes,
            event.name = %object.name,
            route = %object.route,
            "object event"
        );
        Ok(())
    })
    .await
}
