//! What a schedule invokes a function with.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::{DateTime, Utc};

use super::error::EventError;

/// One tick of a schedule. Any JSON is one: a schedule may carry an input of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Who ticked.
    pub origin: Origin,
    /// The time the schedule meant, where the event says so.
    pub scheduled_at: Option<DateTime<Utc>>,
}

/// Who made a [`Tick`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// EventBridge Scheduler with its own input.
    Scheduler,
    /// A rule of EventBridge with a schedule expression.
    Rule,
    /// Somebody's own input: set at the schedule, or invoked by hand.
    Custom,
}

impl Origin {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduler => "scheduler",
            Self::Rule => "rule",
            Self::Custom => "custom",
        }
    }
}

/// Reads a schedule's event. Fails only on what is not JSON.
///
/// See [EventBridge Scheduler](https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html)
/// and [scheduled rules](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html).
///
/// ```
/// # use sluicegate::events::{Origin, tick};
/// assert_eq!(tick(r#"{"reason": "by hand"}"#)?.origin, Origin::Custom);
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn tick(event: &str) -> Result<Tick, EventError> {
    let json: serde_json::Value = serde_json::from_str(event).map_err(EventError::malformed("schedule event"))?;
    let Ok(event) = serde_json::from_value::<EventBridgeEvent>(json) else {
        return Ok(Tick { origin: Origin::Custom, scheduled_at: None });
    };
    let origin = match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.scheduler", _) => Origin::Scheduler,
        ("aws.events", "Scheduled Event") => Origin::Rule,
        _ => Origin::Custom,
    };
    Ok(Tick { origin, scheduled_at: event.time })
}
