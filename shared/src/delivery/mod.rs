//! placeholder

mod dead_letter;
mod deadline;
mod engine;
mod fate;
mod heartbeat;
mod port;
mod process;
mod record_error;
mod retry;
mod settle;

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
    record_error::{Disposition, RecordError},
    retry::{MAX_VISIBILITY, RetryPolicy},
    settle::{DeadLetterQueues, Settled, hand_back},
};
