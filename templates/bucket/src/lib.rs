//! {{ description }}.
//!
//! An error fails the invocation: Lambda tries the event twice more, and then keeps it in the dead-letter queue. All else is
//! [`sluicegate::objects`]'s, which reads S3's events by whatever way they come.
//!
//! Logs `object handled`, with `bucket.name`, `object.key`, `event.name` and `route`.

use sluicegate::objects::{ObjectEvent, RecordError};

/// Handles what happened to one object.
#[allow(clippy::unused_async, reason = "what a handler calls is awaited")]
pub async fn handle(object: &ObjectEvent) -> Result<(), RecordError> {
    tracing::info!(
        bucket.name = %object.bucket,
        object.key = %object.key,
        event.name = %object.name,
        route = %object.route,
        "object handled"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use sluicegate::objects;

    use super::*;

    #[tokio::test]
    async fn the_sample_is_done() {
        let event = include_str!("../events/object-created.json");
        assert_eq!(objects::handle(event, &handle).await.unwrap().done, 1);
    }
}
