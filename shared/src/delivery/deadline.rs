//! When to stop.

use std::time::Duration;

use tokio::time::Instant;

/// The end of an invocation, and the time kept back before it.
///
/// No record starts when less than the reserve is left. A record still at work when half of the reserve is left is
/// stopped and handed back. What the queue does not answer by the last quarter is reported as not done; that quarter is
/// for the function's own answer. Measured on tokio's clock, which tests can pause.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    reserve: Duration,
}

/// What is assumed where the deadline is unknown: `cargo lambda watch` sends one of 1970. Lambda's own default.
pub const UNKNOWN_DEADLINE: Duration = Duration::from_secs(3);

impl Deadline {
    /// `remaining` from now, `None` when it is unknown.
    #[must_use]
    pub fn after(remaining: Option<Duration>, reserve: Duration) -> Self {
        Self { at: Instant::now() + remaining.unwrap_or(UNKNOWN_DEADLINE), reserve }
    }

    /// Whether a record may start now.
    #[must_use]
    pub fn allows_start(&self) -> bool {
        self.remaining() > self.reserve
    }

    /// Time left, the reserve included.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Time left for work: without the reserve.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.remaining().saturating_sub(self.reserve)
    }

    /// When work in hand is stopped.
    #[must_use]
    pub fn stop_at(&self) -> Instant {
        self.at - self.reserve / 2
    }

    /// When calls that are not answered are given up.
    #[must_use]
    pub fn calls_end_at(&self) -> Instant {
        self.at - self.reserve / 4
    }
}
