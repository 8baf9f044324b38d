//! What a schedule invokes a function with.

use chrono::{DateTime, Utc};

use super::{
    error::EventError,
    ignored::Ignored,
    json::{Kind, fields, json_of},
};

const EVENT: &str = "schedule event";

/// One tick of a schedule. Any JSON is one: a schedule may carry an input of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduledEvent {
    /// Who ticked.
    pub origin: Origin,
    /// The time the schedule meant, where the event says so.
    pub scheduled_at: Option<DateTime<Utc>>,
}

/// Who made a [`ScheduledEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
/// # use sluicegate::events::{Origin, read_scheduled_event};
/// assert_eq!(read_scheduled_event(r#"{"reason": "by hand"}"#)?.origin, Origin::Custom);
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn read_scheduled_event(event: &str) -> Result<ScheduledEvent, EventError> {
    if Kind::of(event) != Some(Kind::Object) {
        json_of(event, EVENT)?;
        return Ok(ScheduledEvent { origin: Origin::Custom, scheduled_at: None });
    }
    // What cannot be read here is somebody's own input.
    let mut ignored = Ignored::default();
    let [source, detail_type, time] = fields(event, EVENT, ["source", "detail-type", "time"])?;
    let origin = match (source.text(&mut ignored).as_deref(), detail_type.text(&mut ignored).as_deref()) {
        (Some("aws.scheduler"), _) => Origin::Scheduler,
        (Some("aws.events"), Some("Scheduled Event")) => Origin::Rule,
        _ => Origin::Custom,
    };
    Ok(ScheduledEvent { origin, scheduled_at: time.time(&mut ignored) })
}
