//! What happens to a batch: every record gets its fate, and the queue is told.
//!
//! SQS delivers at least once, Lambda deletes what an answer does not name, and one bad record must not fail its
//! neighbours. The [`Engine`] takes a [`Batch`](crate::events::Batch) and a handler, `async fn(&Record) ->
//! Result<(), RecordError>`, and does everything else:
//!
//! ```
//! use std::time::Duration;
//! use sluicegate::{
//!     delivery::{Deadline, DeadLetterQueue, Engine, Policy, RecordError, SourceQueue, payload},
//!     events::{self, Record},
//! };
//!
//! #[derive(serde::Deserialize)]
//! struct Donor {
//!     name: String,
//! }
//!
//! async fn register(record: &Record) -> Result<(), RecordError> {
//!     let donor: Donor = payload(record)?; // a body that is no donor is rejected
//!     println!("{} gave", donor.name);
//!     Ok(())
//! }
//!
//! // `queue` is `sluicegate::aws::sqs::SqsQueue` in a function, and a fake of ten lines in a test.
//! async fn answer(
//!     queue: impl SourceQueue + DeadLetterQueue,
//!     event: &str,
//!     remaining: Option<Duration>,
//! ) -> Result<String, Box<dyn std::error::Error>> {
//!     let engine = Engine { port: queue, policy: Policy::default() };
//!     let Some(batch) = events::batch(event)? else { return Ok("{}".to_owned()) };
//!     let deadline = Deadline::after(remaining, Duration::from_secs(1));
//!     let report = engine.run(batch, deadline, &register).await;
//!     Ok(serde_json::to_string(&report.response(true)?)?)
//! }
//! ```
//!
//! # A record's life
//!
//! ```text
//!                                   received
//!                                      │
//!          an earlier record of its    │      less time left than
//!          group failed ┌──────────────┼──────────────┐ the reserve
//!                       ▼              ▼              ▼
//!                    Blocked        handler      NotStarted
//!                       │              │              │
//!      ┌────────────────┼───┬──────────┼─────────┬────┼───────────────┐
//!      │ Ok             │   │ Ok: had  │ retry,  │    │   reject, or  │ receipt handle
//!      │                │   │ been done│ panic,  │    │   the last    │ ran out
//!      ▼                │   ▼          │ time-out│    │   receive     ▼
//!     Done              │ Duplicate    ▼         │    ▼            Abandoned
//!      │                │   │        Retry ◄──────┼─ Rejected         │
//!      │                │   │          │  not sent│    │ sent          │
//!      │                │   │          │          │    ▼               │
//!      │                │   │          │          │ DeadLettered       │
//!      ▼                ▼   ▼          ▼          ▼    │               ▼
//!   deleted          visible at once   visible after   └► deleted     left alone: another
//!                                      a delay                        consumer may have it
//! ```
//!
//! [`Fate`] names the ends. `Done`, `Duplicate` and `DeadLettered` are deleted: by Lambda, because the answer does not
//! name them ([`Door::Mapping`](crate::events::Door)), or by the engine in batches of ten
//! ([`Door::Dispatch`](crate::events::Door)). All others are named in the answer and stay in the queue.
//!
//! # What is promised
//!
//! - **At least once.** A message is deleted only after its handler said `Ok`, or after the dead-letter queue has it. A
//!   process that dies at any point leaves every message that was not yet deleted to its visibility timeout.
//! - **A record's fate is its own.** Errors, panics (in builds with `panic = "unwind"`) and time-outs stay with it.
//! - **Order where order was bought.** From a FIFO queue, records of a message group run in order and stop at the
//!   group's first failure. Groups run side by side. On a standard queue a group id orders nothing.
//! - **Nothing is claimed that was not done.** Entries of batch calls that are not in `Successful` are called again, then
//!   reported. What was worked on but could not be deleted is in [`Settled::not_deleted`].
//! - **It stops in time.** See [`Deadline`].
//!
//! # What is set, and why
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`Policy::concurrency`] | 10 | a whole batch of Lambda's default size side by side |
//! | [`RetryPolicy::initial`], [`max`](RetryPolicy::max) | 5 s, 15 min | a brief outage is over by then; five receives stay within an hour |
//! | [`RetryPolicy::max_receives`] | none | set it to the queue's `maxReceiveCount`, always on FIFO queues |
//! | [`Policy::fail_whole_batch`] | yes | Lambda slows down for errors, not for partial answers |
//! | [`Policy::heartbeat`] | off | needed only where work may outlast the visibility timeout |
//!
//! A delay is set with `ChangeMessageVisibilityBatch`, ten messages a call, before the id is reported. On a FIFO queue a
//! delayed message holds its whole group back: that is what order means.
//!
//! # Streams
//!
//! A Kinesis stream is no queue: what fails is not set aside, its shard stands still. [`process_stream`] runs each shard in
//! order up to its first record that is not done, and [`StreamReport::response`] names that one alone. The fates are the
//! same, the engine is not needed: there is nothing to delete, to delay or to send.
//!
//! Nothing here calls AWS: [`SourceQueue`] and [`DeadLetterQueue`] are ports. The time of day is not read; deadlines and
//! pauses use tokio's clock, which tests pause.

mod dead_letter;
mod deadline;
mod engine;
mod fate;
mod heartbeat;
mod log;
mod port;
mod process;
mod queue_settings;
mod record_error;
mod retry;
mod settle;
mod shard;
mod trace;
mod transformation;

pub use self::{
    dead_letter::{REASON, RECEIVES, SOURCE},
    deadline::{Deadline, UNKNOWN_DEADLINE},
    engine::{BatchItemFailure, BatchResponse, Engine, Policy, Report, WholeBatchFailed},
    fate::{Completion, Fate, Outcome},
    heartbeat::Heartbeat,
    port::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, MAX_BATCH_BYTES, MAX_ENTRIES, SourceQueue,
        VisibilityChange,
    },
    process::{Deliverable, Order, Plan, process},
    queue_settings::QueueSettings,
    record_error::{Disposition, RecordError, payload},
    retry::{MAX_VISIBILITY, RetryPolicy},
    settle::{DeadLetterQueues, Settled, hand_back},
    shard::{NothingDone, StoppedShard, StreamReport, process_stream},
    transformation::{
        MAX_RESPONSE_BYTES, Transformation, TransformationResponse, TransformationResult, Transformed,
        TransformedRecord, transform,
    },
};
