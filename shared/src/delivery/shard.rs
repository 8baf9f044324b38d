//! Partial failure of a stream: a shard stops at its first record that is not done.

use std::{collections::HashSet, time::Duration};

use super::{
    fate::Fate,
    pass::{Outcome, pass},
    report::{BatchItemFailure, BatchResponse},
};
use crate::{
    deadline::Deadline,
    events::{MalformedStreamRecord, Sequenced, Stream, StreamBatch, StreamRecord},
    idempotency::Completion,
    record_error::RecordError,
};

/// Shards at work at the same time. Lambda sends one shard an event; more come only from elsewhere.
const CONCURRENCY: usize = 10;

/// What became of a stream's batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamReport<R = StreamRecord> {
    /// Where it came from.
    pub stream: Stream,
    /// In the order of the event.
    pub records: Vec<Result<R, MalformedStreamRecord>>,
    /// Their fates, in the same order. A record that cannot be read is `Rejected`, or `Blocked` as any other.
    pub outcomes: Vec<Outcome>,
}

/// A shard that did not get to its end.
#[derive(Debug)]
pub struct StoppedShard<'r, R = StreamRecord> {
    /// The first record that is not done.
    pub record: &'r Result<R, MalformedStreamRecord>,
    /// What became of it.
    pub outcome: &'r Outcome,
}

/// The first record of the batch is not done, and so none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("none of {size} records is done: failing the invocation lets Lambda halve the batch and isolate the first")]
pub struct NothingDone {
    /// Records of the batch.
    pub size: usize,
}

/// Works on one batch of a stream: the records of a shard one after the other, none after the first that is not done.
///
/// Errors, panics and time-outs end their shard. No record starts when the deadline is nearer than its reserve.
///
/// The fates are those of a queue, and mean this:
///
/// | fate | on a stream |
/// |---|---|
/// | `Done`, `Duplicate` | the shard goes on |
/// | `Retry`, `Rejected` | the shard stops here: this record is named in the answer, and it and all after it come again |
/// | `NotStarted` | time was over: named in the answer if it is the first |
/// | `Blocked` | behind a record that failed: not run, and not named |
///
/// The others do not occur: a stream has no dead-letter queue for a message, and no receipt handles.
/// A rejected record therefore stops its shard as any other failure does, and what happens then is up to the event source
/// mapping. Lambda delivers from the named record on until `MaximumRetryAttempts` or `MaximumRecordAgeInSeconds` is
/// reached, tells the on-failure destination which *batch* it gives up, and goes on behind it. With the defaults it does
/// not give up before the stream forgets the record. Set the limits.
///
/// A batch that is given up takes the good records behind the bad one along. `BisectBatchOnFunctionError` is there to
/// leave the bad one alone, and it halves a batch for which the function fails; a partial answer splits it at the record
/// it names, which is nothing to split where that is the first. So a batch of which nothing is done fails the invocation:
/// Lambda halves it, at no cost to the attempts, until the bad record is its own batch. See
/// [`StreamReport::response`].
///
/// ```
/// # use std::time::Duration;
/// use sluicegate::{
///     delivery::{Deadline, RecordError, process_stream},
///     events::{StreamRecord, read_stream_records},
/// };
///
/// async fn count(record: &StreamRecord) -> Result<(), RecordError> {
///     let click: serde_json::Value = serde_json::from_slice(&record.body).map_err(RecordError::reject)?;
///     println!("{} of {:?}", click["page"], record.partition_key);
///     Ok(())
/// }
///
/// async fn answer(event: &str, remaining: Option<Duration>) -> Result<String, Box<dyn std::error::Error>> {
///     let Some(batch) = read_stream_records(event)? else { return Ok("{}".to_owned()) };
///     let deadline = Deadline::after(remaining);
///     let report = process_stream(batch, deadline, &count).await;
///     Ok(serde_json::to_string(&report.response(true)?)?)
/// }
/// ```
pub async fn process_stream<R, C, H>(batch: StreamBatch<R>, deadline: Deadline, handler: &H) -> StreamReport<R>
where
    R: Sequenced,
    C: Into<Completion>,
    H: AsyncFn(&R) -> Result<C, RecordError>,
{
    let StreamBatch { stream, records, .. } = batch;
    let read_and_handle = async |record: &Result<R, MalformedStreamRecord>| match record {
        Ok(record) => handler(record).await.map(Into::into),
        Err(malformed) => Err::<Completion, _>(RecordError::reject(malformed.problem.to_string())),
    };
    let outcomes = pass(&records, |record| Some(shard_id(record)), CONCURRENCY, deadline, read_and_handle).await;
    StreamReport { stream, records, outcomes }
}

impl<R: Sequenced> StreamReport<R> {
    /// The shards that stopped, each at its first record that is not done.
    #[must_use]
    pub fn stopped(&self) -> Vec<StoppedShard<'_, R>> {
        let mut shards = HashSet::new();
        let places = self.records.iter().zip(&self.outcomes);
        places
            .filter(|(record, outcome)| !is_done(outcome) && shards.insert(shard_id(record)))
            .map(|(record, outcome)| StoppedShard { record, outcome })
            .collect()
    }

    /// Records that will be delivered again: those that stopped their shard, and those behind them.
    #[must_use]
    pub fn handed_back(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !is_done(outcome)).count()
    }

    /// The answer to Lambda's poller. It names the first record of a shard that is not done, and no other: Lambda goes on
    /// from the lowest sequence number it is told. An empty list says that all are done.
    ///
    /// With `fail_whole_batch`, a batch of more than one record of which nothing is done is an error instead, so that
    /// Lambda can halve it. Pass `false` where the mapping does not bisect; both then mean the same to Lambda.
    ///
    /// See [partial batch responses of Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html).
    pub fn response(&self, fail_whole_batch: bool) -> Result<BatchResponse, NothingDone> {
        if fail_whole_batch && self.records.len() > 1 && self.handed_back() == self.records.len() {
            return Err(NothingDone { size: self.records.len() });
        }
        let failure =
            |shard: &StoppedShard<'_, R>| BatchItemFailure { item_identifier: shard.sequence_number().to_owned() };
        Ok(BatchResponse { batch_item_failures: self.stopped().iter().map(failure).collect() })
    }

    /// Logs each shard that stopped, and one line for the batch. What was done is the handler's own to log.
    ///
    /// `duration` is the whole batch's.
    pub fn log(&self, duration: Duration) {
        for shard in self.stopped() {
            let (shard_id, sequence_number) = (named(shard.shard_id()), shard.sequence_number());
            match shard.record {
                Ok(_) => tracing::warn!(
                    shard.id = shard_id,
                    record.sequence_number = sequence_number,
                    fate = shard.outcome.fate.as_str(),
                    reason = shard.outcome.fate.error().map(tracing::field::display),
                    "shard stopped"
                ),
                Err(MalformedStreamRecord { problem, .. }) => {
                    tracing::error!(
                        shard.id = shard_id,
                        record.sequence_number = sequence_number,
                        %problem,
                        "record refused"
                    );
                }
            }
        }
        tracing::info!(
            stream.name = %self.stream,
            shard.id = self.records.first().map(shard_id).and_then(named),
            batch.size = self.records.len(),
            batch.failures = self.handed_back(),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "batch finished"
        );
    }
}

impl<R: Sequenced> StoppedShard<'_, R> {
    /// The shard; empty where the event says none.
    #[must_use]
    pub fn shard_id(&self) -> &str {
        shard_id(self.record)
    }

    /// Where it goes on.
    #[must_use]
    pub fn sequence_number(&self) -> &str {
        match self.record {
            Ok(record) => record.sequence_number(),
            Err(malformed) => &malformed.sequence_number,
        }
    }
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome.fate, Fate::Done | Fate::Duplicate)
}

fn named(shard_id: &str) -> Option<&str> {
    Some(shard_id).filter(|id| !id.is_empty())
}

fn shard_id<R: Sequenced>(record: &Result<R, MalformedStreamRecord>) -> &str {
    match record {
        Ok(record) => record.shard_id(),
        Err(malformed) => &malformed.shard_id,
    }
}

#[cfg(test)]
mod tests;
