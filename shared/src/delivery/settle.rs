//! What follows a record's fate: deletes, delays and dead letters.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::{
    dead_letter,
    fate::{Fate, Outcome},
    port::{DeadLetterQueue, Failure, SourceQueue, VisibilityChange, call_in_batches},
    record_error::{Disposition, RecordError},
    retry::{MAX_VISIBILITY, RetryPolicy},
};
use crate::events::{Door, Queue, Record};

/// The dead-letter queue of each source queue: by the source's name, the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterQueues(pub HashMap<String, String>);

impl DeadLetterQueues {
    /// Where rejected messages of this queue go.
    #[must_use]
    pub fn of(&self, queue: &Queue) -> Option<&str> {
        self.0.get(queue.name()).map(String::as_str)
    }
}

/// Reads `<source queue name>=<url>,…`.
impl std::str::FromStr for DeadLetterQueues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| {
            let (name, url) = pair.trim().split_once('=').ok_or_else(|| format!("{pair:?} has no `=`"))?;
            Queue::from_url(url).map_err(|_| format!("{url:?} is no queue URL"))?;
            Ok((name.to_owned(), url.to_owned()))
        };
        text.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect::<Result<_, _>>().map(Self)
    }
}

/// How a batch was settled with the queue: what its answer is made of.
#[derive(Debug, Default)]
pub struct Settled {
    /// By the record's place: how long it stays away, for those that were asked to.
    pub delays: HashMap<usize, Duration>,
    /// Records whose work is done while the message could not be deleted: it will come again.
    pub not_deleted: Vec<usize>,
}

/// Settles a batch with its queue.
pub(crate) struct Settlement<'a, P> {
    pub(crate) port: &'a P,
    pub(crate) queue: &'a Queue,
    pub(crate) dead_letter_url: Option<&'a str>,
    pub(crate) retry: RetryPolicy,
    /// A random number from 0 to 1 for each delay.
    pub(crate) jitter: fn() -> f64,
    /// No call is repeated after this.
    pub(crate) stop_at: Instant,
}

impl<P: SourceQueue + DeadLetterQueue> Settlement<'_, P> {
    /// Sends rejected records to the dead-letter queue, sets the delays of failed ones and, at the dispatch door,
    /// deletes what is done. A rejected record that could not be sent becomes one to retry.
    pub(crate) async fn settle(&self, door: Door, records: &[Record], outcomes: &mut [Outcome]) -> Settled {
        self.send_rejected(records, outcomes).await;
        let delays = self.set_delays(records, outcomes).await;
        let not_deleted = match door {
            Door::Mapping => Vec::new(),
            Door::Dispatch => self.delete_done(records, outcomes).await,
        };
        Settled { delays, not_deleted }
    }

    /// Sends one record to the dead-letter queue; whether it was taken.
    pub(crate) async fn reject(&self, record: &Record, error: &RecordError) -> bool {
        match self.dead_letter_url {
            Some(url) => self.send(url, &[(record, error)]).await[0].is_none(),
            None => false,
        }
    }

    async fn send_rejected(&self, records: &[Record], outcomes: &mut [Outcome]) {
        let Some(url) = self.dead_letter_url else { return };
        let rejected: Vec<usize> =
            (0..outcomes.len()).filter(|&index| matches!(outcomes[index].fate, Fate::Rejected(_))).collect();
        let letters: Vec<(&Record, &RecordError)> =
            rejected.iter().filter_map(|&index| Some((&records[index], outcomes[index].fate.error()?))).collect();
        let failures = self.send(url, &letters).await;
        for (index, failure) in rejected.into_iter().zip(failures) {
            let outcome = &mut outcomes[index];
            if let (None, Fate::Rejected(error)) = (failure, std::mem::replace(&mut outcome.fate, Fate::NotStarted)) {
                outcome.fate = Fate::DeadLettered(error);
            } else {
                outcome.fate = Fate::Retry(RecordError::retry("rejected, but the dead-letter queue did not take it"));
            }
        }
    }

    async fn send(&self, url: &str, rejected: &[(&Record, &RecordError)]) -> Vec<Option<Failure>> {
        let letters: Vec<_> =
            rejected.iter().map(|(record, error)| dead_letter::letter(record, self.queue, error)).collect();
        let failures = call_in_batches(&letters, dead_letter::bytes, self.stop_at, async |batch: &[_]| {
            self.port.send(url, batch).await
        })
        .await;
        for ((record, error), failure) in rejected.iter().zip(&failures) {
            if let Some(failure) = failure {
                tracing::error!(
                    record.message_id = %record.message_id,
                    reason = %error,
                    error = %failure,
                    "dead letter not sent"
                );
            }
        }
        failures
    }

    async fn set_delays(&self, records: &[Record], outcomes: &[Outcome]) -> HashMap<usize, Duration> {
        let delays: Vec<(usize, Duration)> = outcomes
            .iter()
            .enumerate()
            .filter_map(|(index, outcome)| Some((index, self.delay(&records[index], &outcome.fate)?)))
            .collect();
        let changes: Vec<VisibilityChange<'_>> = delays
            .iter()
            .map(|&(index, timeout)| VisibilityChange { receipt_handle: &records[index].receipt_handle, timeout })
            .collect();
        let failures = call_in_batches(
            &changes,
            |_| 0,
            self.stop_at,
            async |batch: &[_]| self.port.change_visibility(self.queue, batch).await,
        )
        .await;
        let mut set = HashMap::new();
        for ((index, delay), failure) in delays.into_iter().zip(failures) {
            match failure {
                None => _ = set.insert(index, delay),
                // The message comes back all the same, when the queue's own visibility timeout ends.
                Some(failure) => {
                    tracing::warn!(record.message_id = %records[index].message_id, error = %failure, "delay not set");
                }
            }
        }
        set
    }

    /// How long a record is kept away: whole seconds. `None` for what is settled, and for what is not ours any more.
    fn delay(&self, record: &Record, fate: &Fate) -> Option<Duration> {
        let delay = match fate {
            Fate::Done | Fate::Duplicate | Fate::DeadLettered(_) | Fate::Abandoned => return None,
            Fate::NotStarted | Fate::Blocked => Duration::ZERO,
            Fate::Retry(error) | Fate::Rejected(error) => match error.disposition() {
                Disposition::Retry(Some(delay)) | Disposition::Later(delay) => delay.min(MAX_VISIBILITY),
                Disposition::Retry(None) | Disposition::Reject => {
                    self.retry.delay(record.receive_count, (self.jitter)())
                }
            },
        };
        // Up, not down: a delay of less than a second would bring the message back at once, and use up a receive.
        Some(Duration::from_secs(delay.as_secs() + u64::from(delay.subsec_nanos() > 0)))
    }

    async fn delete_done(&self, records: &[Record], outcomes: &[Outcome]) -> Vec<usize> {
        let done: Vec<usize> = (0..outcomes.len()).filter(|&index| outcomes[index].fate.is_final()).collect();
        let handles: Vec<&str> = done.iter().map(|&index| records[index].receipt_handle.as_str()).collect();
        let failures = call_in_batches(
            &handles,
            |_| 0,
            self.stop_at,
            async |batch: &[&str]| self.port.delete(self.queue, batch).await,
        )
        .await;
        let mut not_deleted = Vec::new();
        for (index, failure) in done.into_iter().zip(failures) {
            match failure {
                None => {}
                // Some services refuse a second delete, which AWS answers with success: the message is gone all the same.
                // A FIFO queue refuses a handle that ran out, and then the message is still there.
                Some(Failure::HandleExpired(_)) if !self.queue.is_fifo() => {}
                Some(failure) => {
                    tracing::error!(
                        record.message_id = %records[index].message_id,
                        error = %failure,
                        "processed but not deleted"
                    );
                    not_deleted.push(index);
                }
            }
        }
        not_deleted
    }
}

/// Makes messages visible again at once: for a consumer that received them and cannot work on them. Those for which it
/// does not work come back when their visibility timeout ends; a line says so.
pub async fn hand_back<P: SourceQueue>(port: &P, queue: &Queue, receipt_handles: &[&str], stop_at: Instant) {
    let changes: Vec<VisibilityChange<'_>> = receipt_handles
        .iter()
        .map(|receipt_handle| VisibilityChange { receipt_handle, timeout: Duration::ZERO })
        .collect();
    let failures =
        call_in_batches(&changes, |_| 0, stop_at, async |batch: &[_]| port.change_visibility(queue, batch).await).await;
    for failure in failures.into_iter().flatten() {
        tracing::warn!(queue.name = %queue, error = %failure, "message not handed back");
    }
}
