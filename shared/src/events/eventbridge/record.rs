//! An event of EventBridge, with a detail of any type.

use chrono::{DateTime, Utc};

use crate::events::ignored::Ignored;

/// One event. Everything but its detail may be absent: an input transformer, an emulator or another AWS service leaves out
/// what it likes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventBridge<T> {
    /// Names the event; stable over deliveries.
    pub id: Option<String>,
    /// Who put it: `aws.s3`, or a name of somebody's own.
    pub source: Option<String>,
    /// What kind of event it is, in its source's words.
    pub detail_type: Option<String>,
    /// The account it is of.
    pub account: Option<String>,
    /// The region it is of.
    pub region: Option<String>,
    /// When it happened.
    pub time: Option<DateTime<Utc>>,
    /// What its source has to say.
    pub detail: T,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}
