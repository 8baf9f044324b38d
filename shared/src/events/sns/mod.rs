//! SNS notifications, as Lambda receives them and as a queue holds them.
//!
//! The signature is not checked, as Lambda and SQS take notifications only over IAM.

pub(super) mod read;
mod record;

pub use self::{
    read::{is_envelope, read_notifications},
    record::{MalformedNotification, Notification, Notifications},
};

#[cfg(test)]
mod tests;
