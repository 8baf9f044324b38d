//! What a queue's counters were, and what follows from how they moved.

use std::{collections::VecDeque, time::Duration};

use crate::counters::Counters;

/// Enough for the widest terminal.
const CAPACITY: usize = 1_000;
/// Rates are taken over this much time: long enough to smooth the ticks, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(30);

/// The counters at one moment, counted from when the watch began.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    counters: Counters,
}

/// The samples of one queue, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
}

/// How a queue's messages came and went, a second.
///
/// SQS counts what is there, not what passes. Between two looks only the difference shows: what arrived and was drained
/// in the same tick is in neither rate, so each is the least it can have been. The net rate is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) arrival: f64,
    pub(crate) drain: f64,
    pub(crate) net: f64,
}

/// When the queue will be empty, if it goes on like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Empty,
    In(Duration),
    /// It does not get emptier.
    Never,
    /// Too few looks so far.
    Unknown,
}

impl History {
    pub(crate) fn push(&mut self, at: Duration, counters: Counters) {
        if self.samples.len() == CAPACITY {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at, counters });
    }

    pub(crate) fn latest(&self) -> Option<Counters> {
        self.samples.back().map(|sample| sample.counters)
    }

    /// The last `count` values of a counter, oldest first.
    pub(crate) fn series(&self, count: usize, value: impl Fn(Counters) -> u64) -> Vec<u64> {
        let skipped = self.samples.len().saturating_sub(count);
        self.samples.iter().skip(skipped).map(|sample| value(sample.counters)).collect()
    }

    /// `None` before the second look.
    pub(crate) fn rates(&self) -> Option<Rates> {
        let newest = self.samples.back()?;
        let begin = newest.at.saturating_sub(WINDOW);
        let recent: Vec<&Sample> = self.samples.iter().filter(|sample| sample.at >= begin).collect();
        let seconds = newest.at.saturating_sub(recent.first()?.at).as_secs_f64();
        if seconds == 0.0 {
            return None;
        }
        let (mut came, mut went) = (0, 0);
        for pair in recent.windows(2) {
            let (before, after) = (pair[0].counters.total(), pair[1].counters.total());
            came += after.saturating_sub(before);
            went += before.saturating_sub(after);
        }
        let (arrival, drain) = (per_second(came, seconds), per_second(went, seconds));
        Some(Rates { arrival, drain, net: arrival - drain })
    }

    pub(crate) fn outlook(&self) -> Outlook {
        let (Some(counters), Some(rates)) = (self.latest(), self.rates()) else { return Outlook::Unknown };
        if counters.total() == 0 {
            return Outlook::Empty;
        }
        // A message in several minutes is noise, not a direction.
        if rates.net > -0.01 {
            return Outlook::Never;
        }
        let seconds = per_second(counters.total(), -rates.net);
        Duration::try_from_secs_f64(seconds).map_or(Outlook::Never, Outlook::In)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(totals: &[u64]) -> History {
        let mut history = History::default();
        for (second, &visible) in (0..).zip(totals) {
            history.push(Duration::from_secs(second), Counters { visible, ..Counters::default() });
        }
        history
    }

    #[test]
    fn what_came_and_what_went_is_told_apart_between_ticks() {
        let rates = history(&[10, 16, 12, 14, 6]).rates().unwrap();
        assert_eq!(rates, Rates { arrival: 2.0, drain: 3.0, net: -1.0 });
    }

    #[test]
    fn moving_to_in_flight_is_neither_arrival_nor_drain() {
        let mut history = History::default();
        history.push(Duration::ZERO, Counters { visible: 10, in_flight: 0, delayed: 0 });
        history.push(Duration::from_secs(1), Counters { visible: 2, in_flight: 8, delayed: 0 });
        assert_eq!(history.rates(), Some(Rates::default()));
        assert_eq!(history.outlook(), Outlook::Never);
    }

    #[test]
    fn the_time_to_empty_follows_the_net_rate() {
        assert_eq!(history(&[10, 8, 6]).outlook(), Outlook::In(Duration::from_secs(3)));
        assert_eq!(history(&[10, 12]).outlook(), Outlook::Never);
        assert_eq!(history(&[2, 0]).outlook(), Outlook::Empty);
        assert_eq!(history(&[2]).outlook(), Outlook::Unknown);
    }

    #[test]
    fn rates_forget_what_is_older_than_their_window() {
        let mut totals = vec![0; 10];
        totals[0] = 1_000_000;
        totals.extend([5; 40]);
        assert_eq!(history(&totals).rates(), Some(Rates::default()));
    }

    #[test]
    fn a_series_is_the_newest_values_in_order() {
        assert_eq!(history(&[1, 2, 3]).series(2, |counters| counters.visible), [2, 3]);
    }
}
