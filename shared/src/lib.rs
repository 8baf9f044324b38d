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
//! | [`consumer`] | a worker outside Lambda: polls, works, settles, until it is told to stop |
//! | `aws` (features `aws-*`) | adapters for SQS, SNS, S3, Lambda and `DynamoDB` behind the ports of the others |
//! | `queue`, `stream`, `firehose`, `notifications`, `objects`, `broker` (feature `lambda`) | whole functions: a handler of records, and all around it |
//! | `runtime` (feature `lambda`) | the runtime loop |
//! | `telemetry` (feature `lambda`) | log lines and metrics by contract |
//! | [`preview`] | what a log line shows of data |
//! | [`settings`] | configuration, read once, every mistake named |
//!
//! Without features the crate knows no SDK and no network. The time of day and the environment are arguments everywhere;
//! [`clock::SystemClock`] and [`settings::environment`] are what `main` passes in.
//!
//! # A whole function
//!
//! With the features `lambda` and `aws-sqs`, as [`queue`] says. It is `examples/queue.rs`:
//!
#![cfg_attr(all(feature = "lambda", feature = "aws-sqs"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "lambda", feature = "aws-sqs")), doc = "```ignore")]
#![doc = include_str!("../examples/queue.rs")]
//! ```
//!
//! # Reading alone
//!
//! Whatever way an object's event comes, it reads the same:
//!
//! ```
//! use sluicegate::events::{EventError, read_object_events};
//!
//! fn names(event: &str) -> Result<Vec<String>, EventError> {
//!     let objects = read_object_events(event)?.objects;
//!     Ok(objects.iter().map(|object| format!("{} by way of {}", object.key, object.route)).collect())
//! }
//!
//! let straight = r#"{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%2B1.jpg"}}}]}"#;
//! assert_eq!(names(straight)?, ["a b+1.jpg by way of s3"]);
//! let through_sqs = serde_json::json!({"Records": [{"messageId": "m", "body": straight}]}).to_string();
//! assert_eq!(names(&through_sqs)?, ["a b+1.jpg by way of s3-sqs"]);
//! # Ok::<_, EventError>(())
//! ```

#[cfg(feature = "aws-client")]
pub mod aws;
#[cfg(feature = "lambda")]
pub mod broker;
pub mod clock;
pub mod consumer;
mod deadline;
pub mod delivery;
pub mod error_chain;
pub mod events;
#[cfg(feature = "lambda")]
pub mod firehose;
pub mod idempotency;
#[cfg(feature = "lambda")]
pub mod notifications;
#[cfg(feature = "lambda")]
pub mod objects;
pub mod preview;
#[cfg(feature = "lambda")]
pub mod queue;
pub mod random;
mod record_error;
#[cfg(feature = "lambda")]
pub mod runtime;
pub mod settings;
#[cfg(feature = "lambda")]
pub mod stream;
#[cfg(feature = "lambda")]
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
