//! What became of a batch, and the answer that is made of it.

use std::time::Duration;

use serde::Serialize;

use super::fate::Fate;
use crate::events::{EventSource, MalformedRecord, Queue, Record};

/// What became of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// How the batch came.
    pub source: EventSource,
    /// Where it came from.
    pub queue: Queue,
    /// What became of each message, in the order of the batch.
    pub deliveries: Vec<Delivery>,
    /// Records without a message id that could be read. No answer can name them, and Lambda deletes what an answer does
    /// not name: the invocation must fail.
    pub unnamed: usize,
    pub(crate) fail_whole_batch: bool,
}

/// What became of one message in this invocation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The message, as far as it could be read.
    pub record: Result<Record, MalformedRecord>,
    /// What became of it.
    pub fate: Fate,
    /// The handler's time; zero where it did not run.
    pub duration: Duration,
    /// How long it stays away, where the queue was told.
    pub delay: Option<Duration>,
    /// Whether this function deleted it.
    pub deletion: Deletion,
}

/// Whether this function deleted a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It did not try: the message stays, or Lambda deletes it.
    NotAsked,
    /// The queue says so.
    Deleted,
    /// The queue says so, by a handle whose time was over: another consumer may have had it already.
    Late,
    /// The queue refused, or did not answer: what is done will come again.
    Failed,
}

/// Every record failed for a reason worth a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all {size} records failed and are worth a retry")]
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

impl Delivery {
    /// The message, stable over deliveries.
    #[must_use]
    pub fn message_id(&self) -> &str {
        match &self.record {
            Ok(record) => &record.message_id,
            Err(malformed) => &malformed.message_id,
        }
    }

    /// Worked on, and not deleted: it will come again.
    #[must_use]
    pub fn is_not_deleted(&self) -> bool {
        self.fate.is_final() && self.deletion == Deletion::Failed
    }
}

impl Report {
    /// The ids of the messages that must be delivered again: from the batch, none twice.
    #[must_use]
    pub fn failed_ids(&self) -> Vec<&str> {
        self.ids(|delivery| !delivery.fate.is_final())
    }

    /// The ids of the messages of which this is so.
    #[must_use]
    pub fn ids(&self, is_so: impl Fn(&Delivery) -> bool) -> Vec<&str> {
        self.deliveries.iter().filter(|delivery| is_so(delivery)).map(Delivery::message_id).collect()
    }

    /// Messages of the batch, readable or not.
    #[must_use]
    pub fn size(&self) -> usize {
        self.deliveries.len()
    }

    /// The answer to Lambda's poller.
    ///
    /// When every record of a batch larger than one failed for a reason worth a retry it is an error instead, so that the
    /// function's `Errors` metric moves (unless [`Policy::fail_whole_batch`](super::Policy) says no). The messages come again either way.
    pub fn response(&self) -> Result<BatchResponse, WholeBatchFailed> {
        let may_work_later = |delivery: &Delivery| matches!(delivery.fate, Fate::Retry(_)) && delivery.record.is_ok();
        if self.fail_whole_batch && self.size() > 1 && self.deliveries.iter().all(may_work_later) {
            return Err(WholeBatchFailed { size: self.size() });
        }
        let failure = |id: &str| BatchItemFailure { item_identifier: id.to_owned() };
        Ok(BatchResponse { batch_item_failures: self.failed_ids().into_iter().map(failure).collect() })
    }
}
