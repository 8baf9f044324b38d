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
//! # Quick start
//!
//! Whatever way an object's event comes, it reads the same:
//!
//! ```
//! use sluicegate::events::{EventError, object_events};
//!
//! fn names(event: &str) -> Result<Vec<String>, EventError> {
//!     let objects = object_events(event)?.objects;
//!     Ok(objects.iter().map(|object| format!("{} by way of {}", object.key, object.route)).collect())
//! }
//!
//! let straight = include_str!("../../events/s3/object-created-encoded-key.json");
//! assert_eq!(names(straight)?, ["사진/봄 소풍 1+1.jpg by way of s3"]);
//! let through_sns_and_sqs = include_str!("../../events/sqs/s3-sns-wrapped.json");
//! assert_eq!(names(through_sns_and_sqs)?, ["사진/봄 소풍 1+1.jpg by way of s3-sns-sqs"]);
//! # Ok::<_, EventError>(())
//! ```
//!
//! A whole function, with the features `lambda` and `aws-sqs`. It is `examples/jobs.rs`; the folder has two more, and how
//! to run them:
//!
#![cfg_attr(all(feature = "lambda", feature = "aws-sqs"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "lambda", feature = "aws-sqs")), doc = "```ignore")]
#![doc = include_str!("../../examples/jobs.rs")]
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
pub mod random;
pub mod settings;
#[cfg(feature = "lambda")]
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
