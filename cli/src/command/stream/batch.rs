//! Batches: as full as the limits allow, and each record's own fate.

use std::time::Duration;

use sluicegate::delivery::Failure;
use tokio::time::sleep;

use super::{port::Port, record::Record};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What one call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// Records of one call.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    bytes: usize,
}

impl Batch {
    /// Takes a record, or gives it back when the call would be too large. A batch without records takes any.
    pub(super) fn add(&mut self, record: Record, limits: Limits) -> Result<(), Record> {
        let bytes = self.bytes + record.bytes();
        if !self.records.is_empty() && (self.records.len() == limits.records || bytes > limits.bytes) {
            return Err(record);
        }
        self.bytes = bytes;
        self.records.push(record);
        Ok(())
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Delivered {
    /// In the order of the batch.
    pub(super) results: Vec<Result<(), Failure>>,
    pub(super) requests: u64,
    /// Records that were put more than once, counted each time.
    pub(super) retried: u64,
}

/// Puts one batch, and again those records that failed, at most `tries` times, with ever longer pauses between.
pub(super) async fn deliver(port: &impl Port, records: &[Record], tries: u32) -> anyhow::Result<Delivered> {
    let mut results = port.put(&records.iter().collect::<Vec<_>>()).await?;
    let (mut requests, mut retried, mut pause) = (1, 0, FIRST_PAUSE);
    for _ in 1..tries {
        let is_open = |index: &usize| matches!(results[*index], Err(Failure::Transient(_)));
        let open: Vec<usize> = (0..records.len()).filter(is_open).collect();
        if open.is_empty() {
            break;
        }
        // A shard is slow for everybody who writes to it: they should not all come back at once.
        sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        requests += 1;
        retried += open.len() as u64;
        let again: Vec<&Record> = open.iter().map(|&index| &records[index]).collect();
        for (index, result) in open.into_iter().zip(port.put(&again).await?) {
            results[index] = result;
        }
    }
    Ok(Delivered { results, requests, retried })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::command::stream::record::Place;

    fn record(bytes: usize) -> Record {
        Record { place: Place { file: None, line: 1 }, data: vec![b'x'; bytes], partition_key: None }
    }

    /// Is busy, so many times, for records of more than one byte.
    struct Busy {
        times: RefCell<u32>,
        calls: RefCell<Vec<usize>>,
    }

    impl Port for Busy {
        async fn put(&self, records: &[&Record]) -> anyhow::Result<Vec<Result<(), Failure>>> {
            self.calls.borrow_mut().push(records.len());
            let is_busy = *self.times.borrow() > 0;
            *self.times.borrow_mut() -= u32::from(is_busy);
            let answer = |record: &&Record| match record.data.len() {
                2.. if is_busy => Err(Failure::Transient("busy".to_owned())),
                _ => Ok(()),
            };
            Ok(records.iter().map(answer).collect())
        }
    }

    #[test]
    fn a_batch_keeps_both_limits_and_takes_one_record_of_any_size() {
        let limits = Limits { records: 3, bytes: 10 };
        let mut batch = Batch::default();
        for bytes in [4, 5, 1] {
            batch.add(record(bytes), limits).unwrap();
        }
        assert!(batch.add(record(0), limits).is_err(), "three are enough");
        let mut batch = Batch::default();
        batch.add(record(6), limits).unwrap();
        assert_eq!(batch.add(record(5), limits).unwrap_err(), record(5));
        batch.add(record(4), limits).unwrap();
        assert!(Batch::default().add(record(11), limits).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn only_records_that_failed_are_put_again() {
        let port = Busy { times: RefCell::new(2), calls: RefCell::default() };
        let delivered = deliver(&port, &[record(2), record(1), record(3)], 8).await.unwrap();
        assert!(delivered.results.iter().all(Result::is_ok));
        assert_eq!((delivered.requests, delivered.retried), (3, 4));
        assert_eq!(port.calls.into_inner(), [3, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_keeps_failing_is_given_up_after_so_many_tries() {
        let port = Busy { times: RefCell::new(99), calls: RefCell::default() };
        let delivered = deliver(&port, &[record(2), record(1)], 3).await.unwrap();
        assert!(matches!(delivered.results[..], [Err(Failure::Transient(_)), Ok(())]));
        assert_eq!(port.calls.into_inner(), [2, 1, 1]);
    }
}
