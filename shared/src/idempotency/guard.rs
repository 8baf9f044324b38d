//! Runs work once.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, SystemTime},
};

use futures::FutureExt;

use super::{
    key::{KeyTooLong, MAX_KEY_BYTES},
    store::{Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError},
};
use crate::{
    clock::Clock,
    delivery::{Completion, RecordError},
};

/// Another worker is at the same effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("in progress elsewhere")]
pub struct InProgress;

/// Between two attempts to complete a claim, doubled each time: five attempts in a second and a half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_millis(800);
/// The shortest and the longest wait for another worker to finish.
const WAIT: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);

/// Keeps work from being repeated, with a store.
///
/// ```
/// # use std::time::Duration;
/// # use sluicegate::{clock::SystemClock, delivery::{Completion, RecordError}, idempotency::{Guard, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RecordError> {
/// let guard = Guard::new(MemoryStore::default(), SystemClock, Duration::from_secs(3_600));
/// let lease = Duration::from_secs(30);
/// let first = guard.once("NewDonor#d-17", lease, async { Ok(()) }).await?;
/// let again = guard.once("NewDonor#d-17", lease, async { Ok(()) }).await?;
/// assert_eq!((first, again), (Completion::Done, Completion::Duplicate));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Guard<S, C> {
    store: S,
    clock: C,
    expiry: Duration,
}

impl<S: IdempotencyStore, C: Clock> Guard<S, C> {
    /// Remembers effects for `expiry` after they are done: longer than duplicates may come. SQS keeps a message for
    /// fourteen days at the most, and delivers it again within hours as a rule.
    pub fn new(store: S, clock: C, expiry: Duration) -> Self {
        Self { store, clock, expiry }
    }

    /// Does the work unless it was done before. `lease` is how long the work may take: the time left of the invocation.
    ///
    /// Work that fails or panics is forgotten, so that it may be tried again at once; work that is dropped half-way is
    /// free again when the lease is over.
    pub async fn once(
        &self,
        key: &str,
        lease: Duration,
        work: impl Future<Output = Result<(), RecordError>>,
    ) -> Result<Completion, RecordError> {
        if key.len() > MAX_KEY_BYTES {
            return Err(RecordError::reject(KeyTooLong { bytes: key.len() }));
        }
        let now = self.clock.now();
        let claim = Claim {
            key: key.to_owned(),
            owner: format!("{:032x}", fastrand::u128(..)),
            lease_until: now + lease,
            expires_at: now + lease + self.expiry,
        };
        match self.store.claim(&claim, now).await? {
            ClaimAnswer::Granted => {}
            ClaimAnswer::Completed => return Ok(Completion::Duplicate),
            ClaimAnswer::InProgress { lease_until } => return Err(wait_for(lease_until, now)),
        }
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(())) => {
                note_lost(self.complete(&claim).await, key, "completed");
                Ok(Completion::Done)
            }
            Ok(Err(error)) => {
                note_lost(self.store.release(&claim).await, key, "released");
                Err(error)
            }
            Err(panic) => {
                note_lost(self.store.release(&claim).await, key, "released");
                resume_unwind(panic)
            }
        }
    }

    /// Completes a claim, and does not give up at the first refusal: what is not remembered as done is done again by the
    /// next copy of the message. Never longer than the lease.
    async fn complete(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = self.store.complete(claim).await;
            let is_over = pause > LAST_PAUSE || self.clock.now() + pause >= claim.lease_until;
            if outcome.is_ok() || is_over {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// A short retry: when the other worker's lease is over, or soon.
fn wait_for(lease_until: SystemTime, now: SystemTime) -> RecordError {
    let left = lease_until.duration_since(now).unwrap_or_default();
    RecordError::later(left.clamp(*WAIT.start(), *WAIT.end()), InProgress)
}

/// The work's own outcome stands whatever the store says of it afterwards: only its memory of it may be wrong.
fn note_lost(outcome: Result<Ownership, StoreError>, key: &str, attempted: &'static str) {
    match outcome {
        Ok(Ownership::Held) => {}
        Ok(Ownership::Lost) => {
            tracing::warn!(idempotency.key = key, attempted, "lease lapsed: another worker may have repeated the work");
        }
        Err(error) => tracing::warn!(idempotency.key = key, attempted, %error, "idempotency record not written"),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::atomic::{AtomicU64, Ordering},
        time::UNIX_EPOCH,
    };

    use super::*;
    use crate::{delivery::Disposition, idempotency::MemoryStore};

    const LEASE: Duration = Duration::from_secs(30);
    const EXPIRY: Duration = Duration::from_hours(1);

    /// A clock that tests set by hand.
    #[derive(Default)]
    struct Seconds(AtomicU64);

    impl Clock for &Seconds {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn a_duplicate_does_not_repeat_the_work() {
        let (clock, runs) = (Seconds::default(), Cell::new(0));
        let guard = Guard::new(MemoryStore::default(), &clock, EXPIRY);
        let work = async || {
            runs.set(runs.get() + 1);
            Ok(())
        };
        assert_eq!(guard.once("k", LEASE, work()).await.unwrap(), Completion::Done);
        assert_eq!(guard.once("k", LEASE, work()).await.unwrap(), Completion::Duplicate);
        assert_eq!(guard.once("other", LEASE, work()).await.unwrap(), Completion::Done);
        assert_eq!(runs.get(), 2);
    }

    #[tokio::test]
    async fn work_that_failed_or_panicked_may_be_tried_again_at_once() {
        let clock = Seconds::default();
        let guard = Guard::new(MemoryStore::default(), &clock, EXPIRY);
        guard.once("k", LEASE, async { Err(RecordError::retry("busy")) }).await.unwrap_err();
        let panicking = guard.once("k", LEASE, async { panic!("a drill") });
        AssertUnwindSafe(panicking).catch_unwind().await.unwrap_err();
        assert_eq!(guard.once("k", LEASE, async { Ok(()) }).await.unwrap(), Completion::Done);
    }

    #[tokio::test]
    async fn work_in_progress_elsewhere_is_waited_for_and_is_free_when_its_lease_is_over() {
        let clock = Seconds::default();
        let guard = Guard::new(MemoryStore::default(), &clock, EXPIRY);
        let mut dropped = Box::pin(guard.once("k", LEASE, std::future::pending()));
        assert!((&mut dropped).now_or_never().is_none());
        drop(dropped);
        let error = guard.once("k", LEASE, async { Ok(()) }).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Later(LEASE));
        clock.0.store(31, Ordering::Relaxed);
        assert_eq!(guard.once("k", LEASE, async { Ok(()) }).await.unwrap(), Completion::Done);
    }

    #[tokio::test]
    async fn a_worker_that_outlived_its_lease_does_not_overwrite_the_next_owner() {
        let clock = Seconds::default();
        let store = MemoryStore::default();
        let guard = Guard::new(&store, &clock, EXPIRY);
        let slow = async {
            clock.0.store(31, Ordering::Relaxed);
            // The next owner claims while the first is still at it, and has not finished.
            let next = Claim {
                key: "k".to_owned(),
                owner: "next".to_owned(),
                lease_until: UNIX_EPOCH + Duration::from_mins(2),
                expires_at: UNIX_EPOCH + EXPIRY,
            };
            assert_eq!(store.claim(&next, (&clock).now()).await.unwrap(), ClaimAnswer::Granted);
            Ok(())
        };
        guard.once("k", LEASE, slow).await.unwrap();
        let error = guard.once("k", LEASE, async { Ok(()) }).await.unwrap_err();
        assert!(matches!(error.disposition(), Disposition::Later(_)), "the next owner's claim was overwritten");
    }

    #[tokio::test]
    async fn what_is_expired_is_done_again() {
        let clock = Seconds::default();
        let guard = Guard::new(MemoryStore::default(), &clock, EXPIRY);
        guard.once("k", LEASE, async { Ok(()) }).await.unwrap();
        clock.0.store(EXPIRY.as_secs() + LEASE.as_secs() + 1, Ordering::Relaxed);
        assert_eq!(guard.once("k", LEASE, async { Ok(()) }).await.unwrap(), Completion::Done);
    }

    #[tokio::test(start_paused = true)]
    async fn a_completion_that_fails_for_the_moment_is_tried_again() {
        #[derive(Default)]
        struct Forgetful {
            completions: Cell<u32>,
        }
        impl IdempotencyStore for Forgetful {
            async fn claim(&self, _: &Claim, _: SystemTime) -> Result<ClaimAnswer, StoreError> {
                Ok(ClaimAnswer::Granted)
            }
            async fn complete(&self, _: &Claim) -> Result<Ownership, StoreError> {
                self.completions.set(self.completions.get() + 1);
                if self.completions.get() < 3 { Err(StoreError("busy".to_owned())) } else { Ok(Ownership::Held) }
            }
            async fn release(&self, _: &Claim) -> Result<Ownership, StoreError> {
                unreachable!("the work succeeds")
            }
        }
        let (clock, store) = (Seconds::default(), Forgetful::default());
        let guard = Guard::new(&store, &clock, EXPIRY);
        assert_eq!(guard.once("k", LEASE, async { Ok(()) }).await.unwrap(), Completion::Done);
        assert_eq!(store.completions.get(), 3);
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_asked_keeps_the_work_from_beginning() {
        struct Broken;
        impl IdempotencyStore for Broken {
            async fn claim(&self, _: &Claim, _: SystemTime) -> Result<ClaimAnswer, StoreError> {
                Err(StoreError("no table".to_owned()))
            }
            async fn complete(&self, _: &Claim) -> Result<Ownership, StoreError> {
                unreachable!("nothing was claimed")
            }
            async fn release(&self, _: &Claim) -> Result<Ownership, StoreError> {
                unreachable!("nothing was claimed")
            }
        }
        let clock = Seconds::default();
        let guard = Guard::new(Broken, &clock, EXPIRY);
        let error = guard.once("k", LEASE, async { panic!("must not run") }).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Retry(None));
        assert_eq!(error.to_string(), "idempotency store: no table");
    }
}
