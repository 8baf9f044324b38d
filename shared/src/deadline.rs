//! When to stop.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use crate::settings::Settings;

/// The end of an invocation, and the three times that bound a record's life before it.
///
/// They are measured back from the end in parts of the *reserve*: five seconds, or a quarter of the time the invocation
/// starts with, whichever is less.
///
/// | until | what may go on | a 30 s function |
/// |---|---|---|
/// | 0.8 of the reserve | work | 26.0 s |
/// | 0.5 | writing its completion, or its failed try, to the store | 27.5 s |
/// | 0.1 | telling the queue: dead letters, deletes, delays | 29.5 s |
///
/// The rest is for the function's own answer. Measured on tokio's clock, which tests can pause.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    ends_at: Instant,
    reserve: Duration,
    /// How long an attempt at a small call may take.
    attempt: Duration,
}

/// What is assumed where the deadline is unknown: `cargo lambda watch` sends one of 1970. Lambda's own default.
pub const UNKNOWN_DEADLINE: Duration = Duration::from_millis(UNKNOWN_DEADLINE_MS);

const UNKNOWN_DEADLINE_MS: u64 = 3_000;

/// `UNKNOWN_DEADLINE_MS` (1,000 to 900,000): another time than [`UNKNOWN_DEADLINE`].
pub(crate) fn unknown_deadline(settings: &mut Settings<'_>) -> Duration {
    Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", UNKNOWN_DEADLINE_MS, 1_000..=900_000))
}

const MAX_RESERVE: Duration = Duration::from_secs(5);
/// Longer than anything lasts.
const NEVER: Duration = Duration::from_hours(24 * 365);
/// How long an attempt at a call may take, so that another one can be made in the time there is.
const MAX_ATTEMPT: Duration = Duration::from_secs(1);
/// The same where no end is near.
const UNHURRIED_ATTEMPT: Duration = Duration::from_secs(5);
/// A call that keeps failing is given up after this, whatever time is left: the message comes back and is tried again.
const MAX_CALLING: Duration = Duration::from_secs(20);

impl Deadline {
    /// `remaining` from now, `None` when it is unknown.
    #[must_use]
    pub fn after(remaining: Option<Duration>) -> Self {
        let remaining = remaining.unwrap_or(UNKNOWN_DEADLINE);
        let reserve = reserve_of(remaining);
        Self { ends_at: Instant::now() + remaining, reserve, attempt: MAX_ATTEMPT.min(reserve / 5) }
    }

    /// No end, for a worker that is no function: it goes on until it is asked to stop.
    #[must_use]
    pub fn never() -> Self {
        Self { attempt: UNHURRIED_ATTEMPT, ..Self::after(Some(NEVER)) }
    }

    /// When the invocation is over.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        self.ends_at
    }

    /// Time left, the reserve included.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }

    /// Time left for work: without the reserve.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.remaining().saturating_sub(self.reserve)
    }

    /// When work is stopped.
    #[must_use]
    pub fn work_ends_at(&self) -> Instant {
        self.ends_at - self.reserve.mul_f64(0.8)
    }

    /// When the store is not asked any more.
    #[must_use]
    pub fn completion_ends_at(&self) -> Instant {
        self.ends_at - self.reserve.mul_f64(0.5)
    }

    /// When the queue is not told any more.
    #[must_use]
    pub fn settling_ends_at(&self) -> Instant {
        self.ends_at - self.reserve.mul_f64(0.1)
    }

    /// Attempts at a small call, up to one of the three times.
    #[must_use]
    pub fn attempts(&self, until: Instant) -> Attempts {
        Attempts { each: self.attempt, until: until.min(Instant::now() + MAX_CALLING) }
    }
}

/// What is kept back of so much time: five seconds, or a quarter of it.
#[must_use]
pub fn reserve_of(time: Duration) -> Duration {
    MAX_RESERVE.min(time / 4)
}

/// How long one attempt at a call may take, and when no other is made.
#[derive(Debug, Clone, Copy)]
pub struct Attempts {
    /// How long one may take.
    pub each: Duration,
    /// When no other begins.
    pub until: Instant,
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

impl Attempts {
    /// Time for an attempt that begins now.
    pub(crate) fn next(&self) -> Duration {
        self.each.min(self.until.saturating_duration_since(Instant::now()))
    }

    /// Pauses before another attempt. `false`, at once, when there is no time for one.
    pub(crate) async fn pause(&self, attempt: u32) -> bool {
        let pause = FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LAST_PAUSE);
        if Instant::now() + pause >= self.until {
            return false;
        }
        sleep(pause).await;
        true
    }

    /// Makes a call, again and again until it works or the time is over. `None`: no attempt was ever answered.
    pub(crate) async fn make<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Option<Result<T, E>> {
        let mut last = None;
        for attempt in 0_u32.. {
            match timeout(self.next(), call()).await {
                Ok(Ok(answer)) => return Some(Ok(answer)),
                Ok(Err(error)) => last = Some(Err(error)),
                Err(_elapsed) => {}
            }
            if !self.pause(attempt).await {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_three_times_come_in_their_order_and_before_the_end() {
        for (seconds, reserve) in [(1, 0.25), (3, 0.75), (20, 5.0), (900, 5.0)] {
            let deadline = Deadline::after(Some(Duration::from_secs(seconds)));
            let left = |at: Instant| (deadline.ends_at() - at).as_secs_f64() / reserve;
            let times = [deadline.work_ends_at(), deadline.completion_ends_at(), deadline.settling_ends_at()];
            for (time, part) in times.into_iter().zip([0.8, 0.5, 0.1]) {
                assert!((left(time) - part).abs() < 0.001, "{seconds} s: {} of the reserve", left(time));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_tried_again_in_the_time_there_is() {
        let (calls, deadline) = (Cell::new(0), Deadline::after(Some(Duration::from_mins(1))));
        let attempts = deadline.attempts(Instant::now() + Duration::from_secs(5));
        let hangs_twice = || {
            calls.set(calls.get() + 1);
            let call = calls.get();
            async move { if call < 3 { std::future::pending().await } else { Ok::<_, ()>(call) } }
        };
        assert_eq!(attempts.make(hangs_twice).await, Some(Ok(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_when_the_time_is_over_and_the_last_error_is_kept() {
        let (calls, started) = (Cell::new(0), Instant::now());
        let attempts = Deadline::never().attempts(Instant::now() + Duration::from_secs(5));
        let fails = || {
            calls.set(calls.get() + 1);
            let call = calls.get();
            async move { Err::<(), _>(call) }
        };
        let answer = attempts.make(fails).await;
        assert_eq!(answer, Some(Err(calls.get())));
        assert!(calls.get() > 3 && started.elapsed() <= Duration::from_secs(5), "{} calls", calls.get());
        let hangs = attempts.make(|| async { std::future::pending::<Result<(), ()>>().await }).await;
        assert_eq!(hangs, None);
    }
}
