//! What happens to a batch: every record gets its fate, and the queue is told.
//!
//! SQS delivers at least once, Lambda deletes what an answer does not name, and one bad record must not fail its
//! neighbours. The [`Engine`] takes a [`Batch`](crate::events::Batch) and a handler, `async fn(&Record) ->
//! Result<(), RecordError>`, and does everything else:
//!
//! ```
//! use std::time::Duration;
//! use sluicegate::{
//!     delivery::{DeadLetterQueue, Deadline, Engine, RecordError, SourceQueue, read_payload},
//!     events::{self, Record},
//! };
//!
//! #[derive(serde::Deserialize)]
//! struct Donor {
//!     name: String,
//! }
//!
//! async fn register(record: &Record) -> Result<(), RecordError> {
//!     let donor: Donor = read_payload(record)?; // a body that is no donor is rejected
//!     println!("{} gave", donor.name);
//!     Ok(())
//! }
//!
//! // The engine's queue is `sluicegate::aws::sqs::SqsQueue` in a function, and a fake of ten lines in a test.
//! async fn answer(
//!     engine: &Engine<impl SourceQueue + DeadLetterQueue>,
//!     event: &str,
//!     remaining: Option<Duration>,
//! ) -> Result<String, Box<dyn std::error::Error>> {
//!     let deadline = Deadline::after(remaining);
//!     let Some(batch) = events::read_batch(event)? else { return Ok("{}".to_owned()) };
//!     let report = engine.run(batch, deadline, &register).await;
//!     Ok(serde_json::to_string(&report.response()?)?)
//! }
//! ```
//!
//! # A record's life
//!
//! ```text
//!  received ──► claim ──────────► work ───────────► completion ──────► settled
//!    │            │ done before     │ Ok               │ recorded        deleted: by Lambda, because the answer
//!    │            │  └► Duplicate   │  └───────────────┴─► Done          does not name it, or by us
//!    │            │ at it elsewhere │ retry, panic, longer than an invocation
//!    │            │  └► Waiting     │  └► its try is counted ─► Retry    delayed: back-off by failed tries
//!    │            │                 │                └ the last ─► GivenUp  ┐ dead letter, then delete,
//!    │            │                 │ reject  ────────────────────► Rejected ┘ then release of the claim
//!    │            │                 │ begun late, stopped by the deadline ─► OutOfTime   delayed, no failed try
//!    │            │ over a lapsed lease: a suspect, which runs last and alone
//!    │ no time left ─► NotStarted   │ FIFO: its handle's time is over ─► Abandoned       left alone
//!    └ behind one of its group that is open ─► Blocked                                   visible at once
//! ```
//!
//! [`Fate`] names the ends and says what each counts. Three times bound this life, see [`Deadline`]. Where we delete
//! ourselves ([`EventSource::Dispatch`](crate::events::EventSource)), records are settled while others work, ten to a call.
//!
//! # What is promised
//!
//! - **At least once.** A message is deleted only after its handler said `Ok`, or after the dead-letter queue has it. A
//!   process that dies at any point leaves every message that was not yet deleted to its visibility timeout.
//! - **A record's fate is its own.** Errors, panics (in builds with `panic = "unwind"`) and time-outs stay with it.
//! - **Order where order was bought.** From a FIFO queue, records of a message group run in order and stop at the
//!   group's first that is open. Groups run side by side. On a standard queue a group id orders nothing.
//! - **Nobody is given up untried.** What counts is how often a message's own work failed, not how often it was received.
//! - **Nothing is claimed that was not done.** Entries of batch calls that are not in `Successful` are called again, then
//!   reported. What was worked on but could not be deleted is [`Delivery::is_not_deleted`].
//! - **It stops in time.** See [`Deadline`].
//!
//! # Streams
//!
//! A Kinesis stream is no queue: what fails is not set aside, its shard stands still. [`process_stream`] runs each shard in
//! order up to its first record that is not done, and [`StreamReport::response`] names that one alone. The fates are the
//! same, the engine is not needed: there is nothing to delete, to delay or to send.
//!
//! Nothing here calls AWS: [`SourceQueue`] and [`DeadLetterQueue`] are ports, and so are the time of day and chance.
//! Deadlines and pauses use tokio's clock, which tests pause.

mod batch_call;
#[cfg(feature = "aws_lambda_events")]
mod convert;
mod dead_letter;
mod engine;
mod fate;
mod heartbeat;
mod in_flight;
mod lane;
mod life;
mod log;
mod pass;
mod port;
mod queue_settings;
mod report;
mod retry;
mod run;
mod settle;
mod shard;
mod trace;
mod transformation;
mod work;

pub use self::{
    batch_call::call_in_batches,
    dead_letter::{REASON, RECEIVES, SOURCE, dead_letter},
    engine::{DeadLetterQueues, Engine, Policy},
    fate::Fate,
    pass::Outcome,
    port::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, Invoke, InvokeError, MAX_BATCH_BYTES,
        MAX_ENTRIES, MAX_WAIT, Receive, ReceivingQueue, SourceQueue, TargetFunction, VisibilityChange,
    },
    queue_settings::QueueSettings,
    report::{BatchItemFailure, BatchResponse, Deletion, Delivery, Report, WholeBatchFailed},
    retry::{FailedTry, MAX_VISIBILITY, Next, RetryPolicy},
    shard::{NothingDone, StoppedShard, StreamReport, process_stream},
    transformation::{
        MAX_RESPONSE_BYTES, Transformation, TransformationResponse, TransformationResult, Transformed,
        TransformedRecord, transform,
    },
    work::Work,
};
pub use crate::{
    deadline::{Attempts, Deadline, UNKNOWN_DEADLINE, reserve_of},
    idempotency::Completion,
    record_error::{Disposition, RecordError, read_payload},
};
