//! Many entries in few calls: full batches, each entry's own fate, and input that is sent while it is read.
//!
//! | module | what it settles |
//! |---|---|
//! | `flow` | from input to calls: filling batches, pace, order, signals |

mod flow;

use std::time::Duration;

use sluicegate::delivery::Failure;
use tokio::time::sleep;

pub(crate) use self::flow::{End, Flow, Refused, Report};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What one call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// One of the many.
pub(crate) trait Entry {
    /// What AWS counts.
    fn bytes(&self) -> usize;
}

/// A batch call. Answers in the order given; an error is about the whole call, after the SDK's own tries.
pub(crate) trait Port {
    type Entry: Entry;
    /// What AWS says of an entry it took.
    type Taken;

    async fn call(&self, entries: &[&Self::Entry]) -> anyhow::Result<Vec<Result<Self::Taken, Failure>>>;
}

/// Entries of one call.
#[derive(Debug)]
pub(crate) struct Batch<E> {
    pub(crate) entries: Vec<E>,
    bytes: usize,
}

impl<E> Default for Batch<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), bytes: 0 }
    }
}

impl<E: Entry> Batch<E> {
    /// Takes an entry, or gives it back when the call would be too large. A batch without entries takes any.
    pub(crate) fn add(&mut self, entry: E, limits: Limits) -> Result<(), E> {
        let bytes = self.bytes + entry.bytes();
        if !self.entries.is_empty() && (self.entries.len() == limits.entries || bytes > limits.bytes) {
            return Err(entry);
        }
        self.bytes = bytes;
        self.entries.push(entry);
        Ok(())
    }

    /// All entries, in as few batches as the limits allow.
    pub(crate) fn all(entries: impl IntoIterator<Item = E>, limits: Limits) -> Vec<Vec<E>> {
        let mut batches: Vec<Self> = vec![Self::default()];
        for entry in entries {
            let last = batches.len() - 1;
            if let Err(entry) = batches[last].add(entry, limits) {
                batches.push(Self { bytes: entry.bytes(), entries: vec![entry] });
            }
        }
        batches.into_iter().map(|batch| batch.entries).filter(|entries| !entries.is_empty()).collect()
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct Delivered<T> {
    /// In the order of the batch.
    pub(crate) results: Vec<Result<T, Failure>>,
    pub(crate) requests: u64,
    /// Entries that were sent more than once, counted each time.
    pub(crate) retried: u64,
}

/// Sends one batch, and again those entries that failed for the moment, at most `tries` times, with ever longer pauses
/// between. A call that fails as a whole is an error the first time; later it is the failure of what was still open, so
/// that what was taken before is known.
pub(crate) async fn deliver<P: Port>(
    port: &P,
    entries: &[P::Entry],
    tries: u32,
) -> anyhow::Result<Delivered<P::Taken>> {
    let mut results = port.call(&entries.iter().collect::<Vec<_>>()).await?;
    let (mut requests, mut retried, mut pause) = (1, 0, FIRST_PAUSE);
    for _ in 1..tries {
        let is_open = |index: &usize| matches!(results[*index], Err(Failure::Transient(_)));
        let open: Vec<usize> = (0..entries.len()).filter(is_open).collect();
        if open.is_empty() {
            break;
        }
        // Who is slow is slow for everybody: they should not all come back at once.
        sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        requests += 1;
        retried += open.len() as u64;
        let again: Vec<&P::Entry> = open.iter().map(|&index| &entries[index]).collect();
        let answers = match port.call(&again).await {
            Ok(answers) => answers,
            Err(error) => open.iter().map(|_| Err(Failure::Refused(format!("{error:#}")))).collect(),
        };
        for (index, result) in open.into_iter().zip(answers) {
            results[index] = result;
        }
    }
    Ok(Delivered { results, requests, retried })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{cell::RefCell, collections::VecDeque};

    use super::*;

    impl Entry for String {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    /// What one call of [`Asked`] does to entries that are longer than a byte.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Mood {
        Busy,
        Gone,
    }

    /// Takes everything when its moods are over, and remembers what it was asked.
    #[derive(Debug, Default)]
    pub(crate) struct Asked {
        pub(crate) moods: RefCell<VecDeque<Mood>>,
        pub(crate) calls: RefCell<Vec<Vec<String>>>,
    }

    impl Asked {
        pub(crate) fn in_moods(moods: impl Into<VecDeque<Mood>>) -> Self {
            Self { moods: RefCell::new(moods.into()), calls: RefCell::default() }
        }
    }

    impl Port for Asked {
        type Entry = String;
        type Taken = String;

        async fn call(&self, entries: &[&String]) -> anyhow::Result<Vec<Result<String, Failure>>> {
            self.calls.borrow_mut().push(entries.iter().map(ToString::to_string).collect());
            sleep(Duration::from_millis(10)).await;
            let mood = self.moods.borrow_mut().pop_front();
            if let Some(Mood::Gone) = mood {
                anyhow::bail!("nobody is there");
            }
            let is_busy = |entry: &&&String| mood.is_some() && entry.len() > 1;
            let busy = || Failure::Transient("busy".to_owned());
            Ok(entries.iter().map(|entry| if is_busy(&entry) { Err(busy()) } else { Ok((*entry).clone()) }).collect())
        }
    }

    pub(crate) fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_batch_keeps_both_limits_and_takes_one_entry_of_any_size() {
        let limits = Limits { entries: 3, bytes: 10 };
        let batches = Batch::all(strings(&["4444", "55555", "1", "", "666666", "55555", &"x".repeat(11)]), limits);
        assert_eq!(
            batches,
            [
                strings(&["4444", "55555", "1"]),
                strings(&["", "666666"]),
                strings(&["55555"]),
                strings(&[&"x".repeat(11)])
            ]
        );
        assert!(Batch::<String>::all([], limits).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn only_entries_that_failed_for_the_moment_are_sent_again_and_each_answer_keeps_its_place() {
        let port = Asked::in_moods([Mood::Busy, Mood::Busy]);
        let delivered = deliver(&port, &strings(&["22", "1", "333"]), 4).await.unwrap();
        assert_eq!(delivered.results, ["22", "1", "333"].map(|text| Ok(text.to_owned())));
        assert_eq!((delivered.requests, delivered.retried), (3, 4));
        assert_eq!(port.calls.borrow().iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_keeps_failing_is_given_up_after_so_many_tries() {
        let port = Asked::in_moods([Mood::Busy; 9]);
        let delivered = deliver(&port, &strings(&["22", "1"]), 3).await.unwrap();
        assert!(matches!(delivered.results[..], [Err(Failure::Transient(_)), Ok(_)]));
        assert_eq!(delivered.requests, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_repeated_call_that_fails_does_not_forget_what_was_taken_before() {
        let port = Asked::in_moods([Mood::Busy, Mood::Gone]);
        let delivered = deliver(&port, &strings(&["22", "1"]), 4).await.unwrap();
        assert_eq!(delivered.results[1], Ok("1".to_owned()));
        assert_eq!(delivered.results[0], Err(Failure::Refused("nobody is there".to_owned())));
        let port = Asked::in_moods([Mood::Gone]);
        assert!(deliver(&port, &strings(&["22", "1"]), 4).await.is_err());
    }
}
