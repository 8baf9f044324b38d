//! {{ description }}.
//!
//! An error fails the invocation: Lambda tries the event twice more, and then keeps it in the dead-letter queue. All else is
//! [`sluicegate::notifications`]'s.
//!
//! Logs `notification handled`, with `record.message_id` and `notification.subject`.

use sluicegate::{delivery::RecordError, notifications::Notification};

/// Handles one notification.
#[allow(clippy::unused_async, reason = "what a handler calls is awaited")]
pub async fn handle(notification: &Notification) -> Result<(), RecordError> {
    tracing::info!(
        record.message_id = notification.message_id,
        notification.subject = notification.subject,
        "notification handled"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use sluicegate::notifications;

    use super::*;

    #[tokio::test]
    async fn the_sample_is_done() {
        let event = include_str!("../events/notification.json");
        assert_eq!(notifications::handle(event, &handle).await.unwrap().done, 1);
    }
}
