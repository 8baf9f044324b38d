//! A function on an SQS queue, from `main` to the answer.
//!
//! ```no_run
#![doc = include_str!("../../examples/queue.rs")]
//! ```
//!
//! That is all of it. A record whose body is no donor goes to the dead-letter queue with the reason; an error of the
//! handler brings the message back after a back-off, and what fails too often is given up; a panic costs one record; a
//! record that the deadline stops comes again. Each fate is a log line, each batch a line and its metrics. The same function
//! answers an event source mapping, a pipe of EventBridge and the scheduled poller's dispatch.
//!
//! A handler takes the [`Record`], what an extractor makes of it ([`Json`], or a [`FromRecord`] of your own), or both.
//! `?` on any error is worth another delivery; [`RecordError`] has the other ends.
//!
//! # Settings
//!
//! They come from the environment, by the names in [`QueueSettings`]. A wrong one ends the start with every problem named.
//!
//! # Effectively once
//!
//! With the feature `aws-dynamodb` and `IDEMPOTENCY_TABLE` set, a message that was done is not done again. A name of the
//! business's own holds over messages as well:
//!
//! ```
//! # use sluicegate::queue::{self, Json, RecordError};
//! # #[derive(serde::Deserialize)]
//! # struct Donor { id: String }
//! # async fn register(_: Json<Donor>) -> Result<(), RecordError> { Ok(()) }
//! let work = queue::handler(register).key(|Json(donor): &Json<Donor>| Some(donor.id.clone()));
//! ```
//!
//! # More
//!
//! [`run_with`] builds the work from settings of your own. [`Worker`] is the same without a process around it: for a test,
//! for the simulated AWS of the feature `testing`, and for who keeps `lambda_runtime::run`, see [`Worker::service`].

mod extract;
#[cfg(feature = "aws-sqs")]
mod run;
mod service;
mod worker;

#[cfg(feature = "aws-sqs")]
pub use self::run::{run, run_concurrent, run_with};
pub use self::{
    extract::{Extracted, FromRecord, IntoWork, Json, handler},
    service::Service,
    worker::{Answer, Summary, Worker},
};
pub use crate::{
    delivery::{QueueSettings, RecordError, Work},
    events::Record,
};

#[cfg(test)]
mod tests;
