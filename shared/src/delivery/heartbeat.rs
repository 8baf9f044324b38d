//! Keeps messages invisible while their work goes on.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{
    batch_call::call_in_batches,
    in_flight::InFlight,
    port::{Failure, SourceQueue, VisibilityChange},
};
use crate::{
    deadline::{Attempts, Deadline},
    events::Queue,
};

/// A beat that failed is repeated after this part of the visibility timeout.
const AGAIN: u32 = 6;

/// Keeps messages invisible for `visibility` at a time until they are settled.
///
/// A message is told when a third of that time has gone by, so that two beats may fail; only where its visibility would
/// end before the invocation does. SQS keeps a message invisible for twelve hours from its receive and no longer: the last
/// beat takes what is left of them.
pub(crate) struct Heartbeat<'r, P> {
    pub(crate) port: &'r P,
    pub(crate) queue: &'r Queue,
    pub(crate) visibility: Duration,
    pub(crate) deadline: Deadline,
    pub(crate) messages: &'r [InFlight],
}

impl<P: SourceQueue> Heartbeat<'_, P> {
    /// Never ends by itself.
    pub(crate) async fn run(&self) {
        // The messages of a batch came together: what is known of their time is the same, but for calls that failed.
        let mut again_at: Vec<Option<Instant>> = vec![None; self.messages.len()];
        loop {
            let next = self.open().filter_map(|place| self.beat_at(place, again_at[place])).min();
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
            let now = Instant::now();
            let due: Vec<usize> =
                self.open().filter(|&place| self.beat_at(place, again_at[place]).is_some_and(|at| at <= now)).collect();
            self.beat(&due, &mut again_at).await;
        }
    }

    fn open(&self) -> impl Iterator<Item = usize> {
        (0..self.messages.len()).filter(|&place| !self.messages[place].is_settled())
    }

    /// When a message is to be told; `None`: no more.
    fn beat_at(&self, place: usize, again_at: Option<Instant>) -> Option<Instant> {
        let message = &self.messages[place];
        let times = message.times();
        message.receipt_handle()?;
        if message.handle_is_over() {
            return None;
        }
        let visible_at = times.visible_at?;
        if visible_at >= self.deadline.ends_at() || visible_at >= times.limit_at {
            return None;
        }
        let at = visible_at.checked_sub(self.visibility * 2 / 3).unwrap_or_else(Instant::now);
        Some(again_at.map_or(at, |again_at| at.max(again_at)))
    }

    async fn beat(&self, due: &[usize], again_at: &mut [Option<Instant>]) {
        let now = Instant::now();
        let changes: Vec<VisibilityChange<'_>> = due
            .iter()
            .filter_map(|&place| {
                let message = &self.messages[place];
                let left = message.times().limit_at.saturating_duration_since(now);
                let timeout = Duration::from_secs(self.visibility.min(left).as_secs());
                Some(VisibilityChange { receipt_handle: message.receipt_handle()?, timeout })
            })
            .collect();
        let pause = (self.visibility / AGAIN).max(Duration::from_secs(1));
        // No attempt after the handle's time: the message may be another's by then.
        let until = due.iter().map(|&place| self.messages[place].handle_ends_at()).fold(now + pause, Instant::min);
        let attempts = Attempts { until, ..self.deadline.attempts(until) };
        let change = async |batch: &[VisibilityChange<'_>]| self.port.change_visibility(self.queue, batch).await;
        let failures = call_in_batches(&changes, |_| 0, attempts, change).await;
        for ((&place, change), failure) in due.iter().zip(&changes).zip(failures) {
            let message = &self.messages[place];
            again_at[place] = Some(Instant::now() + pause);
            match failure {
                None if change.timeout < self.visibility => {
                    // What was left of the twelve hours: there is no more to ask for.
                    message.visible_at(message.times().limit_at);
                }
                None => message.visible_at(now + change.timeout),
                Some(failure @ Failure::HandleExpired(_)) => {
                    tracing::warn!(record.message_id = message.message_id(), error = %failure, "heartbeat refused: another consumer may have the message");
                    message.lose_handle();
                }
                Some(failure) => {
                    tracing::warn!(record.message_id = message.message_id(), error = %failure, "heartbeat failed");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        delivery::{CallError, FailedEntry, in_flight::HandleTimes},
        events::Record,
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// A queue that refuses every change, or takes it; and when each came, and what it asked for, in seconds.
    struct Asked {
        since: Instant,
        refuses: bool,
        changes: Mutex<Vec<(u64, u64)>>,
    }

    impl SourceQueue for Asked {
        async fn delete(&self, _: &Queue, _: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
            Ok(Vec::new())
        }

        async fn change_visibility(
            &self,
            _: &Queue,
            changes: &[VisibilityChange<'_>],
        ) -> Result<Vec<FailedEntry>, CallError> {
            let at = self.since.elapsed().as_secs();
            self.changes.lock().unwrap().extend(changes.iter().map(|change| (at, change.timeout.as_secs())));
            let refused = FailedEntry { index: 0, failure: Failure::Refused("not now".to_owned()) };
            Ok(if self.refuses { vec![refused] } else { Vec::new() })
        }
    }

    /// The beats of a message that is invisible for 30 s at a time, in three minutes of work, where SQS makes it visible
    /// after `limit` whatever it is asked.
    async fn beats(limit: Duration, refuses: bool) -> Vec<(u64, u64)> {
        let since = Instant::now();
        let times = HandleTimes { visible_at: Some(since + 30 * SECOND), limit_at: since + limit };
        let messages = InFlight::of_batch(vec![Ok(Record::new("m", "{}"))], times);
        let port = Asked { since, refuses, changes: Mutex::default() };
        let queue = "https://sqs.us-east-1.amazonaws.com/1/jobs".parse().unwrap();
        let deadline = Deadline::after(Some(900 * SECOND));
        let heart = Heartbeat { port: &port, queue: &queue, visibility: 30 * SECOND, deadline, messages: &messages };
        let _ = tokio::time::timeout(180 * SECOND, heart.run()).await;
        port.changes.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_is_refused_is_repeated_after_a_sixth_of_the_visibility_until_the_handle_is_over() {
        assert_eq!(beats(12 * 3_600 * SECOND, true).await, [(10, 30), (15, 30), (20, 30), (25, 30)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_beat_takes_what_is_left_of_the_twelve_hours_and_no_other_follows() {
        assert_eq!(beats(Duration::from_millis(45_500), false).await, [(10, 30), (20, 25)]);
    }
}
