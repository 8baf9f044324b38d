//! What is said of a run.

use std::time::Duration;

use crate::delivery::Delivery;

/// Is told what happens.
pub trait Observer {
    /// A message has its fate, and the queue knows it.
    fn settled(&self, delivery: &Delivery);

    /// Messages cannot be received at the moment; the next receive is after this pause.
    fn paused(&self, pause: Duration, problem: &str);
}

/// Writes the lines that functions write, through `tracing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Log;

impl Observer for Log {
    fn settled(&self, delivery: &Delivery) {
        delivery.log(|_| None);
    }

    fn paused(&self, pause: Duration, problem: &str) {
        tracing::warn!(retry_after_s = pause.as_secs(), problem, "messages cannot be received");
    }
}
