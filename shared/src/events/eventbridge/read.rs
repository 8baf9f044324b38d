//! Reading an event of EventBridge.

use serde::Deserialize;

use super::record::EventBridge;
use crate::events::{
    error::EventError,
    ignored::Ignored,
    json::{Field, fields, without_mark},
};

const EVENT: &str = "EventBridge event";

const NAMES: [&str; 7] = ["id", "source", "detail-type", "account", "region", "time", "detail"];

/// Reads an event with a detail of any type; only the detail is needed.
///
/// ```
/// # use sluicegate::events::read_event_bridge;
/// #[derive(serde::Deserialize)]
/// struct StateChange<'a> {
///     state: &'a str,
/// }
///
/// let event = read_event_bridge::<StateChange>(r#"{"source": "aws.ec2", "detail": {"state": "running"}}"#)?;
/// assert_eq!((event.source.as_deref(), event.detail.state), (Some("aws.ec2"), "running"));
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn read_event_bridge<'a, T: Deserialize<'a>>(event: &'a str) -> Result<EventBridge<T>, EventError> {
    let (event, detail) = around(fields(without_mark(event), EVENT, NAMES)?);
    let json = detail.json().ok_or(EventError::MissingField { of: EVENT, field: "detail" })?;
    let detail = serde_json::from_str(json)
        .map_err(|error| EventError::NotJson { of: "detail of an EventBridge event", problem: error.into() })?;
    Ok(event.with(detail))
}

/// What is around the detail, and the detail unread.
pub(in crate::events) fn around(found: [Field<'_>; 7]) -> (EventBridge<()>, Field<'_>) {
    let [id, source, detail_type, account, region, time, detail] = found;
    let mut ignored = Ignored::default();
    let mut text = |field: &Field<'_>| field.text(&mut ignored).map(Into::into);
    let (id, source, detail_type) = (text(&id), text(&source), text(&detail_type));
    let (account, region) = (text(&account), text(&region));
    let time = time.time(&mut ignored);
    (EventBridge { id, source, detail_type, account, region, time, detail: (), ignored }, detail)
}

impl EventBridge<()> {
    fn with<T>(self, detail: T) -> EventBridge<T> {
        let Self { id, source, detail_type, account, region, time, detail: (), ignored } = self;
        EventBridge { id, source, detail_type, account, region, time, detail, ignored }
    }
}
