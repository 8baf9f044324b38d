//! Death at any await.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::sleep;

use crate::testing::seed::Stream;

/// When a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// When its future is polled for this time, counted from 0: at one of its first awaits.
    AtPoll(u64),
    /// After this time.
    After(Duration),
}

impl Kill {
    /// Draws a death within `longest`: one of the first awaits, or a time that is as often short as long.
    #[must_use]
    pub fn draw(draws: &Stream, longest: Duration) -> Self {
        if draws.flip() {
            return Self::AtPoll(draws.between(0, 60));
        }
        let halvings = u32::try_from(draws.between(0, 10)).unwrap_or(0);
        Self::After(draws.time(Duration::ZERO, longest) / 2_u32.pow(halvings))
    }
}

/// Runs a future to its end, or drops it where it then is: `None`.
pub async fn until_killed<F: Future>(kill: Option<Kill>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    let counted = poll_fn(|context| {
        if kill == Some(Kill::AtPoll(polls)) {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(context).map(Some)
    });
    match kill {
        Some(Kill::After(time)) => tokio::select! {
            biased;
            () = sleep(time) => None,
            output = counted => output,
        },
        _ => counted.await,
    }
}
