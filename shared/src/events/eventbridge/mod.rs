//! Events of EventBridge: what every one of them has, and in it whatever its source put there.
//!
//! See [Event structure](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html).

pub(super) mod read;
mod record;

pub use self::{read::read_event_bridge, record::EventBridge};

/// The `detail-type` of an API call that `CloudTrail` tells of.
pub(super) const CLOUD_TRAIL: &str = "AWS API Call via CloudTrail";

#[cfg(test)]
mod tests;
