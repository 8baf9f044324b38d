//! How SQS is asked for many things at once.

use futures::{StreamExt, stream};
use tokio::time::timeout;

use super::port::{CallError, FailedEntry, Failure, MAX_BATCH_BYTES, MAX_ENTRIES};
use crate::deadline::Attempts;

/// Calls under way at the same time: ten thousand failed records need no thousand sockets.
const CONCURRENT_CALLS: usize = 10;

/// Makes a batch call for all entries: as few calls as the limits allow, a bounded number at a time, and again for the
/// entries that failed for the moment, as long as `attempts` says. Answers each entry's final failure, if any, in the
/// order given.
pub async fn call_in_batches<T: Clone>(
    entries: &[T],
    bytes: impl Fn(&T) -> usize,
    attempts: Attempts,
    call: impl AsyncFn(&[T]) -> Result<Vec<FailedEntry>, CallError>,
) -> Vec<Option<Failure>> {
    let mut failures: Vec<Option<Failure>> = vec![None; entries.len()];
    let mut open: Vec<usize> = (0..entries.len()).collect();
    for attempt in 0.. {
        let calls = chunks(&open, |&index| bytes(&entries[index])).into_iter().map(|chunk| {
            let call = &call;
            async move {
                let batch: Vec<T> = chunk.iter().map(|&index| entries[index].clone()).collect();
                let answer = timeout(attempts.next(), call(&batch)).await;
                (chunk, answer.unwrap_or_else(|_elapsed| Err(CallError::unanswered())))
            }
        });
        let mut answers = stream::iter(calls).buffered(CONCURRENT_CALLS);
        let mut again = Vec::new();
        while let Some((chunk, answer)) = answers.next().await {
            for (index, failure) in outcomes(&chunk, answer) {
                if matches!(failure, Some(Failure::Transient(_))) {
                    again.push(index);
                }
                failures[index] = failure;
            }
        }
        if again.is_empty() || !attempts.pause(attempt).await {
            break;
        }
        open = again;
    }
    failures
}

/// What one call's answer says of each of its entries.
fn outcomes(chunk: &[usize], answer: Result<Vec<FailedEntry>, CallError>) -> Vec<(usize, Option<Failure>)> {
    match answer {
        Err(error) => chunk.iter().map(|&index| (index, Some(error.clone().into()))).collect(),
        Ok(failed) => {
            let mut outcomes: Vec<(usize, Option<Failure>)> = chunk.iter().map(|&index| (index, None)).collect();
            for entry in failed {
                if let Some((_, failure)) = outcomes.get_mut(entry.index) {
                    *failure = Some(entry.failure);
                }
            }
            outcomes
        }
    }
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
    use std::{
        cell::{Cell, RefCell},
        time::Duration,
    };

    use tokio::time::{Instant, sleep};

    use super::*;

    fn for_seconds(seconds: u64) -> Attempts {
        Attempts { each: Duration::from_secs(1), until: Instant::now() + Duration::from_secs(seconds) }
    }

    fn busy() -> CallError {
        CallError { message: "busy".to_owned(), is_transient: true }
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_five_entries_are_three_calls() {
        let calls = RefCell::new(Vec::new());
        let entries: Vec<u32> = (0..25).collect();
        let count = async |batch: &[u32]| {
            calls.borrow_mut().push(batch.len());
            Ok(Vec::new())
        };
        let failures = call_in_batches(&entries, |_| 0, for_seconds(60), count).await;
        assert_eq!(calls.into_inner(), [10, 10, 5]);
        assert!(failures.iter().all(Option::is_none));
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_entries_are_never_more_than_ten_calls_at_a_time() {
        let (under_way, most) = (Cell::new(0), Cell::new(0));
        let entries: Vec<u32> = (0..10_000).collect();
        let slow = async |_: &[u32]| {
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            sleep(Duration::from_millis(20)).await;
            under_way.set(under_way.get() - 1);
            Ok(Vec::new())
        };
        call_in_batches(&entries, |_| 0, for_seconds(60), slow).await;
        assert_eq!(most.get(), CONCURRENT_CALLS);
    }

    #[tokio::test(start_paused = true)]
    async fn only_entries_that_failed_for_the_moment_are_called_again() {
        let calls = RefCell::new(Vec::new());
        let call = async |batch: &[&'static str]| {
            calls.borrow_mut().push(batch.to_vec());
            Ok(match batch.len() {
                3 => vec![
                    FailedEntry { index: 1, failure: Failure::Transient("busy".to_owned()) },
                    FailedEntry { index: 2, failure: Failure::Refused("no".to_owned()) },
                ],
                _ => Vec::new(),
            })
        };
        let failures = call_in_batches(&["a", "b", "c"], |_| 0, for_seconds(60), call).await;
        assert_eq!(calls.into_inner(), [vec!["a", "b", "c"], vec!["b"]]);
        assert_eq!(failures, [None, None, Some(Failure::Refused("no".to_owned()))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_keeps_failing_or_hangs_is_given_up_in_time_and_every_entry_reported() {
        let calls = Cell::new(0);
        for hangs in [false, true] {
            let started = Instant::now();
            let call = async |_: &[&str]| {
                calls.set(calls.get() + 1);
                if hangs { std::future::pending().await } else { Err(busy()) }
            };
            let failures = call_in_batches(&["a", "b"], |_| 0, for_seconds(5), call).await;
            assert!(failures.iter().all(|failure| matches!(failure, Some(Failure::Transient(_)))));
            assert!(started.elapsed() <= Duration::from_secs(5), "{:?}", started.elapsed());
        }
        assert!(calls.get() > 8, "{} calls", calls.get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_once_is_made_again() {
        let calls = Cell::new(0);
        let call = async |_: &[&str]| {
            calls.set(calls.get() + 1);
            if calls.get() == 1 { std::future::pending().await } else { Ok(Vec::new()) }
        };
        assert_eq!(call_in_batches(&["a"], |_| 0, for_seconds(5), call).await, [None]);
    }

    #[test]
    fn a_batch_never_exceeds_the_bytes_of_a_call() {
        let sizes = [MAX_BATCH_BYTES, 1, MAX_BATCH_BYTES - 1, 2];
        let cut: Vec<Vec<usize>> = chunks(&[0, 1, 2, 3], |&index: &usize| sizes[index]);
        assert_eq!(cut, [vec![0], vec![1, 2], vec![3]]);
    }
}
