//! What the engine asks of SQS, and how it asks for many things at once.

use std::{fmt, future::Future, time::Duration};

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::events::{MessageAttributes, Queue};

/// The queue the records came from. Each call is one request and takes one to ten entries.
pub trait SourceQueue {
    /// Deletes messages by receipt handle and says which were not deleted.
    fn delete(&self, queue: &Queue, handles: &[&str]) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>>;

    /// Sets how long messages stay invisible from now on, and says for which it did not work.
    fn change_visibility(
        &self,
        queue: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>>;
}

/// Where rejected messages go. Each call is one request and takes one to ten entries, 1 MiB in all.
pub trait DeadLetterQueue {
    /// Sends letters and says which were not taken. What is not named was in `Successful`.
    fn send(
        &self,
        queue_url: &str,
        letters: &[DeadLetter<'_>],
    ) -> impl Future<Output = Result<Vec<FailedEntry>, CallError>>;
}

/// How long one message stays invisible from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibilityChange<'a> {
    /// Which receive of which message.
    pub receipt_handle: &'a str,
    /// 0 s (visible at once) to 12 h; whole seconds.
    pub timeout: Duration,
}

/// One message on its way to the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// The message it was; on a FIFO queue also what duplicates are dropped by.
    pub message_id: &'a str,
    /// As it was sent.
    pub body: &'a str,
    /// The producer's own, and why it was rejected.
    pub attributes: MessageAttributes,
    /// Kept as it was.
    pub group_id: Option<&'a str>,
    /// Kept as it was.
    pub trace_header: Option<&'a str>,
}

/// An entry of a batch call that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEntry {
    /// Its place in the call.
    pub index: usize,
    /// Why.
    pub failure: Failure,
}

/// Why an entry did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The receipt handle is no longer good: the message was deleted, or another consumer has it.
    #[error("its receipt handle is no longer valid ({0})")]
    HandleExpired(String),
    /// The service could not at this moment.
    #[error("{0}")]
    Transient(String),
    /// Not with these values, ever.
    #[error("{0}")]
    Refused(String),
}

/// A call that failed as a whole: after the SDK's own retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// Code and text of the service, or what the connection said.
    pub message: String,
    /// Whether the same call may work a little later.
    pub is_transient: bool,
}

impl CallError {
    /// A call given up because nobody answered in the time there was.
    #[must_use]
    pub fn unanswered() -> Self {
        Self { message: "no answer before the time was over".to_owned(), is_transient: true }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        if error.is_transient { Self::Transient(error.message) } else { Self::Refused(error.message) }
    }
}

impl fmt::Display for FailedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.index, self.failure)
    }
}

/// Entries a batch call of SQS takes.
pub const MAX_ENTRIES: usize = 10;
/// Bytes a batch call of SQS takes, bodies and attributes together.
pub const MAX_BATCH_BYTES: usize = 1_048_576;
/// Calls for one entry before its failure is final.
const MAX_CALLS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Makes a batch call for all entries: as few calls as the limits allow, and again for the entries that failed for the
/// moment, until `stop_at`. Answers each entry's final failure, if any, in the order given.
pub(crate) async fn call_in_batches<T: Clone>(
    entries: &[T],
    bytes: impl Fn(&T) -> usize,
    stop_at: Instant,
    call: impl AsyncFn(&[T]) -> Result<Vec<FailedEntry>, CallError>,
) -> Vec<Option<Failure>> {
    let mut failures: Vec<Option<Failure>> = vec![None; entries.len()];
    let mut open: Vec<usize> = (0..entries.len()).collect();
    let mut pause = FIRST_PAUSE;
    for round in 1..=MAX_CALLS {
        let calls = chunks(&open, |&index| bytes(&entries[index])).into_iter().map(|chunk| {
            let call = &call;
            async move {
                let batch: Vec<T> = chunk.iter().map(|&index| entries[index].clone()).collect();
                let answer = timeout_at(stop_at, call(&batch)).await;
                (chunk, answer.unwrap_or_else(|_elapsed| Err(CallError::unanswered())))
            }
        });
        let mut again = Vec::new();
        for (chunk, answer) in futures::future::join_all(calls).await {
            for &index in &chunk {
                failures[index] = None;
            }
            match answer {
                Ok(failed) => {
                    for entry in failed {
                        let Some(&index) = chunk.get(entry.index) else { continue };
                        if matches!(entry.failure, Failure::Transient(_)) {
                            again.push(index);
                        }
                        failures[index] = Some(entry.failure);
                    }
                }
                Err(error) => {
                    for &index in &chunk {
                        failures[index] = Some(error.clone().into());
                    }
                    if error.is_transient {
                        again.extend(chunk);
                    }
                }
            }
        }
        if again.is_empty() || round == MAX_CALLS || Instant::now() + pause >= stop_at {
            break;
        }
        sleep_until(Instant::now() + pause).await;
        pause *= 2;
        open = again;
    }
    failures
}

/// Cuts entries into runs that fit one call.
fn chunks<T: Copy>(entries: &[T], bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for entry in entries {
        let size = bytes(entry);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MAX_ENTRIES && size <= room => {
                chunk.push(*entry);
                room -= size;
            }
            _ => {
                chunks.push(vec![*entry]);
                room = MAX_BATCH_BYTES.saturating_sub(size);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_five_entries_are_three_calls() {
        let calls = RefCell::new(Vec::new());
        let entries: Vec<u32> = (0..25).collect();
        let failures = call_in_batches(
            &entries,
            |_| 0,
            soon(),
            async |batch: &[u32]| {
                calls.borrow_mut().push(batch.len());
                Ok(Vec::new())
            },
        )
        .await;
        assert_eq!(calls.into_inner(), [10, 10, 5]);
        assert!(failures.iter().all(Option::is_none));
    }

    #[tokio::test(start_paused = true)]
    async fn only_entries_that_failed_for_the_moment_are_called_again() {
        let calls = RefCell::new(Vec::new());
        let failures = call_in_batches(
            &["a", "b", "c"],
            |_| 0,
            soon(),
            async |batch: &[&str]| {
                calls.borrow_mut().push(batch.to_vec());
                Ok(match batch.len() {
                    3 => vec![
                        FailedEntry { index: 1, failure: Failure::Transient("busy".to_owned()) },
                        FailedEntry { index: 2, failure: Failure::Refused("no".to_owned()) },
                    ],
                    _ => Vec::new(),
                })
            },
        )
        .await;
        assert_eq!(calls.into_inner(), [vec!["a", "b", "c"], vec!["b"]]);
        assert_eq!(failures, [None, None, Some(Failure::Refused("no".to_owned()))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_keeps_failing_is_given_up_and_every_entry_reported() {
        let calls = Cell::new(0);
        let failures = call_in_batches(
            &["a", "b"],
            |_| 0,
            soon(),
            async |_: &[&str]| {
                calls.set(calls.get() + 1);
                Err(CallError { message: "connection reset".to_owned(), is_transient: true })
            },
        )
        .await;
        assert_eq!(calls.get(), MAX_CALLS);
        assert!(failures.iter().all(|failure| matches!(failure, Some(Failure::Transient(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_is_repeated_beyond_the_budget() {
        let calls = Cell::new(0);
        let stop_at = Instant::now() + Duration::from_millis(10);
        call_in_batches(
            &["a"],
            |_| 0,
            stop_at,
            async |_: &[&str]| {
                calls.set(calls.get() + 1);
                Err(CallError { message: "busy".to_owned(), is_transient: true })
            },
        )
        .await;
        assert_eq!(calls.get(), 1);
    }

    #[test]
    fn a_batch_never_exceeds_the_bytes_of_a_call() {
        let sizes = [MAX_BATCH_BYTES, 1, MAX_BATCH_BYTES - 1, 2];
        let cut: Vec<Vec<usize>> = chunks(&[0, 1, 2, 3], |&index: &usize| sizes[index]);
        assert_eq!(cut, [vec![0], vec![1, 2], vec![3]]);
    }
}
