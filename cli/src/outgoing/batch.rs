//! Batches: as full as the limits allow, and each entry's own fate.

use std::{ops::Range, time::Duration};

use sluicegate::delivery::{Failure, MAX_BATCH_BYTES, MAX_ENTRIES};
use tokio::time::sleep;

use super::Outgoing;

/// Calls for one entry before its failure is final.
const MAX_CALLS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What SQS says of a message it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) message_id: String,
    /// Its place in a FIFO queue.
    pub(crate) sequence_number: Option<String>,
}

/// A batch call: one to ten messages, 1 MiB in all. Answers in the order given; an error is about the whole call, after
/// the SDK's own retries.
pub(crate) trait Port {
    async fn send(&self, messages: &[&Outgoing]) -> anyhow::Result<Vec<Result<Sent, Failure>>>;
}

/// Cuts messages into runs that fit one call.
pub(crate) fn batches(messages: &[Outgoing]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut room = 0;
    for (index, message) in messages.iter().enumerate() {
        let bytes = message.bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes <= room => {
                batch.end = index + 1;
                room -= bytes;
            }
            _ => {
                batches.push(index..index + 1);
                room = MAX_BATCH_BYTES.saturating_sub(bytes);
            }
        }
    }
    batches
}

/// Sends one batch, and again those entries that failed for the moment.
pub(crate) async fn deliver(port: &impl Port, messages: &[Outgoing]) -> anyhow::Result<Vec<Result<Sent, Failure>>> {
    let all: Vec<&Outgoing> = messages.iter().collect();
    let mut results = port.send(&all).await?;
    let mut pause = FIRST_PAUSE;
    for _ in 1..MAX_CALLS {
        let is_open = |index: &usize| matches!(results[*index], Err(Failure::Transient(_)));
        let open: Vec<usize> = (0..messages.len()).filter(is_open).collect();
        if open.is_empty() {
            break;
        }
        sleep(pause).await;
        pause *= 2;
        let again: Vec<&Outgoing> = open.iter().map(|&index| &messages[index]).collect();
        for (index, result) in open.into_iter().zip(port.send(&again).await?) {
            results[index] = result;
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn messages(sizes: &[usize]) -> Vec<Outgoing> {
        sizes.iter().map(|&size| Outgoing { body: "x".repeat(size).into(), ..Outgoing::default() }).collect()
    }

    /// Refuses for the moment, so many times, whatever is longer than one byte.
    struct Busy {
        times: RefCell<u32>,
        calls: RefCell<Vec<usize>>,
    }

    impl Port for Busy {
        async fn send(&self, messages: &[&Outgoing]) -> anyhow::Result<Vec<Result<Sent, Failure>>> {
            self.calls.borrow_mut().push(messages.len());
            let is_busy = *self.times.borrow() > 0;
            *self.times.borrow_mut() -= u32::from(is_busy);
            let answer = |message: &&Outgoing| match message.body.len() {
                2.. if is_busy => Err(Failure::Transient("busy".to_owned())),
                length => Ok(Sent { message_id: length.to_string(), sequence_number: None }),
            };
            Ok(messages.iter().map(answer).collect())
        }
    }

    #[test]
    fn a_batch_has_ten_messages_at_most() {
        assert_eq!(batches(&messages(&[1; 25])), [0..10, 10..20, 20..25]);
        assert!(batches(&[]).is_empty());
    }

    #[test]
    fn a_batch_has_one_mebibyte_at_most() {
        let half = MAX_BATCH_BYTES / 2;
        assert_eq!(batches(&messages(&[half, half, 1, half, half])), [0..2, 2..4, 4..5]);
        assert_eq!(batches(&messages(&[MAX_BATCH_BYTES, 1])), [0..1, 1..2]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_entries_that_failed_for_the_moment_are_sent_again_and_each_answer_keeps_its_place() {
        let port = Busy { times: RefCell::new(2), calls: RefCell::default() };
        let results = deliver(&port, &messages(&[2, 1, 3])).await.unwrap();
        let ids: Vec<String> = results.into_iter().map(|result| result.unwrap().message_id).collect();
        assert_eq!(ids, ["2", "1", "3"]);
        assert_eq!(port.calls.into_inner(), [3, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_keeps_failing_is_given_up() {
        let port = Busy { times: RefCell::new(99), calls: RefCell::default() };
        let results = deliver(&port, &messages(&[2, 1])).await.unwrap();
        assert!(matches!(results[..], [Err(Failure::Transient(_)), Ok(_)]));
        assert_eq!(port.calls.into_inner(), [2, 1, 1, 1]);
    }
}
