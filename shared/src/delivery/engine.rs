//! The engine: a batch in, an answer out, and in between the whole of a record's life.

use super::{
    deadline::Deadline,
    fate::{Completion, Fate, Outcome},
    heartbeat::Heartbeat,
    port::{DeadLetterQueue, SourceQueue},
    process::{InHand, Order, Plan, process_in_hand},
    record_error::RecordError,
    retry::RetryPolicy,
    settle::{DeadLetterQueues, Settled, Settlement},
};
use crate::events::{Batch, Door, MalformedRecord, Queue, Record};
use serde::Serialize;

/// How records are worked on.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Records (on a FIFO queue: groups) at work at the same time. Default 10.
    pub concurrency: usize,
    /// How long failed messages stay away, and when a failure is the last.
    pub retry: RetryPolicy,
    /// Where rejected messages go. A queue that is not named here has its failures left to its redrive policy.
    pub dead_letter_queues: DeadLetterQueues,
    /// Keeps dispatched messages invisible while they are worked on. Default: off, as Lambda's visibility timeout is six
    /// times the function's.
    pub heartbeat: Option<Heartbeat>,
    /// Fail the invocation when every record of a batch larger than one failed for a reason worth a retry. Lambda then
    /// slows its polling down and counts an error; with a partial answer it does neither. Default: yes.
    pub fail_whole_batch: bool,
    /// A random number from 0 to 1.
    pub jitter: fn() -> f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            concurrency: 10,
            retry: RetryPolicy::default(),
            dead_letter_queues: DeadLetterQueues::default(),
            heartbeat: None,
            fail_whole_batch: true,
            jitter: fastrand::f64,
        }
    }
}

/// Works on batches of a queue.
#[derive(Debug)]
pub struct Engine<P> {
    /// The queue's adapter.
    pub port: P,
    /// How records are worked on.
    pub policy: Policy,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Report {
    /// How the batch came.
    pub door: Door,
    /// Where it came from.
    pub queue: Queue,
    /// The records that could be read, in the order of the batch.
    pub records: Vec<Record>,
    /// Their fates, in the same order.
    pub outcomes: Vec<Outcome>,
    /// Records that could not be read. They are handed back, so that the queue's redrive policy keeps them.
    pub malformed: Vec<MalformedRecord>,
    /// What the queue was told.
    pub settled: Settled,
}

/// Every record failed for a reason worth a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all {size} records failed and are worth a retry: failing the invocation slows Lambda's polling down")]
pub struct WholeBatchFailed {
    /// Records of the batch.
    pub size: usize,
}

/// The answer to Lambda's poller: what it does not name is deleted.
/// See [partial batch responses](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// The messages to deliver again.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// One message to deliver again; on a stream, the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message id; of a stream's record, its sequence number.
    pub item_identifier: String,
}

impl<P: SourceQueue + DeadLetterQueue> Engine<P> {
    /// Works on one batch: runs the handler, sends rejected records to the dead-letter queue, sets the delays of failed
    /// ones and, for dispatched batches, deletes what is done.
    ///
    /// Ends before the deadline. Cancelling the future leaves every message not yet deleted to its visibility timeout.
    pub async fn run<C, H>(&self, batch: Batch, deadline: Deadline, handler: &H) -> Report
    where
        C: Into<Completion>,
        H: AsyncFn(&Record) -> Result<C, RecordError>,
    {
        let Batch { door, queue, records: raw } = batch;
        let (mut records, mut malformed) = (Vec::with_capacity(raw.len()), Vec::new());
        for record in raw {
            match record {
                Ok(record) => records.push(record),
                Err(problem) => malformed.push(problem),
            }
        }
        let settlement = Settlement {
            port: &self.port,
            queue: &queue,
            dead_letter_url: self.policy.dead_letter_queues.of(&queue),
            retry: self.policy.retry,
            jitter: self.policy.jitter,
            stop_at: deadline.calls_end_at(),
        };
        let mut outcomes = self.process(&records, &queue, door, deadline, handler, &settlement).await;
        let settled = settlement.settle(door, &records, &mut outcomes).await;
        Report { door, queue, records, outcomes, malformed, settled }
    }

    async fn process<C, H>(
        &self,
        records: &[Record],
        queue: &Queue,
        door: Door,
        deadline: Deadline,
        handler: &H,
        settlement: &Settlement<'_, P>,
    ) -> Vec<Outcome>
    where
        C: Into<Completion>,
        H: AsyncFn(&Record) -> Result<C, RecordError>,
    {
        let plan = Plan {
            order: if queue.is_fifo() { Order::ByGroup } else { Order::None },
            concurrency: self.policy.concurrency,
            deadline,
            retry: self.policy.retry,
        };
        let reject = async |record: &Record, error: &RecordError| settlement.reject(record, error).await;
        let (in_hand, registrations) = InHand::new(records.len());
        let work = process_in_hand(records, &plan, handler, &reject, (&in_hand, registrations));
        match self.policy.heartbeat.filter(|_| door == Door::Dispatch) {
            None => work.await,
            Some(heartbeat) => {
                let beat = heartbeat.beat(&self.port, queue, records, &in_hand);
                tokio::select! {
                    outcomes = work => outcomes,
                    () = beat => unreachable!("a heartbeat never ends by itself"),
                }
            }
        }
    }
}

impl Report {
    /// The ids of the messages that must be delivered again: from the batch, none twice, none empty.
    #[must_use]
    pub fn failed_ids(&self) -> Vec<&str> {
        let failed = self.records.iter().zip(&self.outcomes).filter(|(_, outcome)| !outcome.fate.is_final());
        let mut ids: Vec<&str> = failed.map(|(record, _)| record.message_id.as_str()).collect();
        ids.extend(self.malformed.iter().map(|record| record.message_id.as_str()));
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        ids
    }

    /// Records of the batch, readable or not.
    #[must_use]
    pub fn size(&self) -> usize {
        self.records.len() + self.malformed.len()
    }

    /// The answer to Lambda's poller, or the error that makes it slow down: see [`Policy::fail_whole_batch`].
    pub fn response(&self, fail_whole_batch: bool) -> Result<BatchResponse, WholeBatchFailed> {
        let all_to_retry = self.malformed.is_empty()
            && self
                .outcomes
                .iter()
                .all(|outcome| matches!(outcome.fate, Fate::Retry(_) | Fate::NotStarted | Fate::Blocked));
        if fail_whole_batch && self.size() > 1 && all_to_retry {
            return Err(WholeBatchFailed { size: self.size() });
        }
        let failure = |id: &str| BatchItemFailure { item_identifier: id.to_owned() };
        Ok(BatchResponse { batch_item_failures: self.failed_ids().into_iter().map(failure).collect() })
    }
}

#[cfg(test)]
mod tests;
