//! What happened to objects, in S3's own words.
//!
//! See [Event message structure](https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html)
//! and, on the bus, [EventBridge event message structure](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html).

pub mod object_key;
pub(super) mod read;
mod record;

pub use self::record::{EventKind, EventName, ObjectEvent};
