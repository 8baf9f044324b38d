//! Time as an argument.

use std::time::SystemTime;

/// Tells the time of day. Deadlines and delays inside an invocation use tokio's clock instead, which tests can pause.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Any function that tells the time is a clock: `|| UNIX_EPOCH` in tests.
impl<F: Fn() -> SystemTime + Send + Sync> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}

impl Clock for std::sync::Arc<dyn Clock> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}
