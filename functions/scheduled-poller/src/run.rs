//! One run of the poller: receivers side by side until the queue is drained or the time is over.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures::{FutureExt, channel::oneshot, future::join_all};
use sluicegate::delivery::{DeadLetterQueue, Deadline, MAX_WAIT, ReceivingQueue, TargetFunction, reserve_of};
use tokio::time::Instant;

use crate::{Poller, receiver::Receiver, summary::Summary};

/// Less than this is no long poll: SQS counts in seconds.
pub(crate) const MIN_WAIT: Duration = Duration::from_secs(1);
/// The answer to a long poll comes a little later than its wait ends.
const ANSWER: Duration = Duration::from_secs(1);

/// What the receivers of a run share.
pub(crate) struct Run<'a, Q, W> {
    pub(crate) poller: &'a Poller<Q, W>,
    pub(crate) deadline: Deadline,
    /// After this a worker might not finish before the deadline.
    receiving_ends_at: Instant,
    is_drained: AtomicBool,
    is_refused: AtomicBool,
    batches_left: AtomicUsize,
}

impl<'a, Q, W> Run<'a, Q, W> {
    pub(crate) fn new(poller: &'a Poller<Q, W>, deadline: Deadline) -> Self {
        let kept = reserve_of(deadline.remaining()) + poller.config.worker_timeout;
        Self {
            poller,
            deadline,
            receiving_ends_at: deadline.ends_at().checked_sub(kept).unwrap_or_else(Instant::now),
            is_drained: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
            batches_left: AtomicUsize::new(poller.config.batches_a_run()),
        }
    }

    /// Whether anything can be received at all.
    pub(crate) fn has_time(&self) -> bool {
        self.wait(MIN_WAIT).is_some()
    }

    /// When nothing is received any more.
    pub(crate) fn receiving_ends_at(&self) -> Instant {
        self.receiving_ends_at
    }

    /// How long the next receive may wait: whole seconds. `None` when it is too late for one.
    pub(crate) fn wait(&self, longest: Duration) -> Option<Duration> {
        let left = self.receiving_ends_at.saturating_duration_since(Instant::now()).saturating_sub(ANSWER);
        Some(Duration::from_secs(left.min(longest).as_secs())).filter(|wait| *wait >= MIN_WAIT)
    }

    /// Whether there is anything left to receive and somebody to give it to.
    pub(crate) fn goes_on(&self) -> bool {
        !self.is_drained.load(Ordering::Relaxed) && !self.is_refused() && self.wait(MAX_WAIT).is_some()
    }

    /// A full long poll found nothing.
    pub(crate) fn drained(&self) {
        self.is_drained.store(true, Ordering::Relaxed);
    }

    /// The worker takes nothing.
    pub(crate) fn refused(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Takes one of the batches that this run may send off.
    pub(crate) fn take_batch(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.batches_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// A batch that was not sent off may be another's.
    pub(crate) fn put_batch_back(&self) {
        self.batches_left.fetch_add(1, Ordering::Relaxed);
    }
}

impl<Q: ReceivingQueue + DeadLetterQueue, W: TargetFunction> Run<'_, Q, W> {
    /// Drains the queue. One receiver begins: only when it gets all that it asked for do the others, so that an empty
    /// queue costs one request a run.
    pub(crate) async fn drain(&self) -> Summary {
        let (busy, is_busy) = oneshot::channel::<()>();
        let is_busy = is_busy.shared();
        let others = (1..self.poller.config.receivers).map(|_| {
            let is_busy = is_busy.clone();
            async move {
                match is_busy.await {
                    Ok(()) => Receiver::new(self, None).work().await,
                    // The first has ended, and never had enough for two.
                    Err(oneshot::Canceled) => Summary::default(),
                }
            }
        });
        let (mut summary, others) = futures::join!(Receiver::new(self, Some(busy)).work(), join_all(others));
        for other in others {
            summary += other;
        }
        summary.drained = self.is_drained.load(Ordering::Relaxed);
        summary
    }
}
