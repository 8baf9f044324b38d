//! {{ description }}.
//!
//! An error fails the invocation. Two runs may overlap, and a schedule may fire twice: nothing may depend on it.
//!
//! Logs `tick handled`, with `tick.origin` and `tick.scheduled_at`.

use sluicegate::{events, runtime::InvocationError};

/// Handles one tick of the schedule; anything that is JSON is one.
#[allow(clippy::unused_async, reason = "what a handler calls is awaited")]
pub async fn handle(event: &str) -> Result<(), InvocationError> {
    let scheduled = events::read_scheduled_event(event)?;
    tracing::info!(
        tick.origin = scheduled.origin.as_str(),
        tick.scheduled_at = scheduled.scheduled_at.map(|time| time.to_rfc3339()),
        "tick handled"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sample_is_done_and_what_is_not_json_fails() {
        handle(include_str!("../events/tick.json")).await.unwrap();
        handle("no JSON").await.unwrap_err();
    }
}
