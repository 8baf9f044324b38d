//! Time of day from tokio's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::seed::Stream;
use crate::clock::Clock;

/// When the simulated worlds begin, since 1970: on 2026-01-01 at midnight, UTC.
pub const EPOCH: Duration = Duration::from_hours(490_896);

/// Two hosts' clocks differ by twice this at most.
const MAX_OFFSET: Duration = Duration::from_secs(5);

/// One host's clock: it goes as fast as all others, and is wrong by at most five seconds.
#[derive(Debug, Clone, Copy)]
pub struct HostClock {
    start: Instant,
    at_start: SystemTime,
}

impl HostClock {
    /// A clock that is right.
    pub(super) fn exact(start: Instant) -> Self {
        Self { start, at_start: UNIX_EPOCH + EPOCH }
    }

    /// A clock that is wrong by what is drawn.
    pub(super) fn drawn(start: Instant, draws: &Stream) -> Self {
        let offset = draws.time(Duration::ZERO, 2 * MAX_OFFSET);
        Self { start, at_start: UNIX_EPOCH + EPOCH - MAX_OFFSET + offset }
    }
}

impl Clock for HostClock {
    fn now(&self) -> SystemTime {
        self.at_start + self.start.elapsed()
    }
}
