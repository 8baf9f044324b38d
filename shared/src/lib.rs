//! Sluicegate carries events to the code that must act on them, and loses none on the way.
//!
//! A toolkit for AWS Lambda functions in Rust that handle events of S3, SNS, SQS, EventBridge, Kinesis, Firehose and
//! Amazon MQ:
//!
//! | module | what it settles |
//! |---|---|
//! | [`events`] | what arrives: from wire JSON to strict records, through any nesting of envelopes |
//! | [`delivery`] | what happens to a batch: partial failures, order, deadlines, retries, dead letters |
//! | [`idempotency`] | what has been done already |
//! | `aws` (features `aws-*`) | adapters for SQS, SNS, S3, Lambda and `DynamoDB` behind the ports of the others |
//! | `lambda` (feature `lambda`) | the runtime loop |
//! | `telemetry` (feature `lambda`) | log lines and metrics by contract |
//! | [`preview`] | what a log line shows of data |
//! | [`settings`] | configuration, read once, every mistake named |
//!
//! Without features the crate knows no SDK and no network. The time of day and the environment are arguments everywhere;
//! [`clock::SystemClock`] and [`settings::environment`] are what `main` passes in.
//!
//! The smallest function that logs what happens to objects, whatever way the events come:
//!
//! ```
//! use sluicegate::events::{EventError, object_events};
//!
//! fn handle(event: &str) -> Result<(), EventError> {
//!     for object in object_events(event)?.objects {
//!         println!("{} {}/{} by way of {}", object.name, object.bucket, object.key, object.route);
//!     }
//!     Ok(())
//! }
//! # handle(include_str!("../../events/s3/folder-upload.json"))?;
//! # Ok::<_, EventError>(())
//! ```

#[cfg(feature = "aws-client")]
pub mod aws;
pub mod clock;
pub mod delivery;
pub mod error_chain;
pub mod events;
pub mod idempotency;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod preview;
pub mod settings;
#[cfg(feature = "lambda")]
pub mod telemetry;
