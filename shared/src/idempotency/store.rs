//! The port: what a store must be able to do.

use std::{
    future::Future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// One worker's claim to an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The effect's name.
    pub key: String,
    /// This claim and no other, of this worker or another.
    pub owner: String,
    /// Until when the claim holds without being completed.
    pub lease_until: SystemTime,
    /// When the record may be forgotten.
    pub expires_at: SystemTime,
    /// What the work reads, as a hash: tells two payloads under one name apart.
    pub payload_hash: Option<String>,
    /// Work completed before this is another effect of the same name, and does not stand in the way.
    pub stale_before: Option<SystemTime>,
    /// What the work answered, as JSON, where a duplicate shall get it again. Known at the completion.
    pub answer: Option<String>,
}

/// What a store says to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The work is this worker's.
    Granted {
        /// Another worker claimed it, and neither finished nor gave it back before its lease was over: it may have been
        /// killed, perhaps by this very work.
        after_lapsed_lease: bool,
    },
    /// The work was done.
    Completed {
        /// [`Claim::payload_hash`] of the claim that did it.
        payload_hash: Option<String>,
        /// [`Claim::answer`] of its completion.
        answer: Option<String>,
    },
    /// Another worker is at it.
    InProgress {
        /// Until when its claim holds.
        lease_until: SystemTime,
    },
}

/// Whether a claim was still its worker's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// It was.
    Held,
    /// The lease had lapsed and another worker has claimed the effect; nothing was changed.
    Lost,
}

/// One attempt at a message that failed, or may be about to kill its worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Names the message and who works on it.
    pub key: String,
    /// This attempt and no other: counted once, however often and however late it is told.
    pub token: String,
    /// When it was made.
    pub at: SystemTime,
    /// When the count may be forgotten.
    pub expires_at: SystemTime,
}

impl Attempt {
    /// The attempt as one word: its time, by which the first is known, and its token.
    #[must_use]
    pub fn mark(&self) -> String {
        let at_ms = self.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        format!("{at_ms}-{}", self.token)
    }
}

/// How often a message was tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Failed attempts, the one just told included.
    pub count: u32,
    /// When the first of them was.
    pub first_at: SystemTime,
}

impl Tries {
    /// What the marks of attempts amount to, without those that were taken back. A set that is only ever added to, and
    /// another beside it: in whatever order they are told, and however often, the sum is the same.
    pub fn of_marks<'m>(marks: impl Iterator<Item = &'m str>, is_taken_back: impl Fn(&str) -> bool) -> Option<Self> {
        let at_ms = |mark: &str| mark.split('-').next().and_then(|at_ms| at_ms.parse().ok());
        let counted: Vec<u64> = marks.filter(|mark| !is_taken_back(mark)).filter_map(at_ms).collect();
        let first_at = UNIX_EPOCH.checked_add(Duration::from_millis(*counted.iter().min()?))?;
        Some(Self { count: u32::try_from(counted.len()).unwrap_or(u32::MAX), first_at })
    }
}

/// The store could not be asked, or could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("idempotency store: {0}")]
pub struct StoreError(pub String);

/// Remembers effects, and how often a message was tried in vain.
pub trait IdempotencyStore: Send + Sync {
    /// Claims an effect that is unknown, expired, stale, or in progress with a lapsed lease. A claim made twice with the
    /// same owner is granted twice: the first answer may have been lost.
    fn claim(&self, claim: &Claim, now: SystemTime) -> impl Future<Output = Result<ClaimAnswer, StoreError>> + Send;

    /// Remembers the effect as done at `now` until the claim's expiry, if the claim is still held.
    fn complete(&self, claim: &Claim, now: SystemTime) -> impl Future<Output = Result<Ownership, StoreError>> + Send;

    /// Forgets the claim, if it is still held, so that the effect may be tried again at once.
    fn release(&self, claim: &Claim) -> impl Future<Output = Result<Ownership, StoreError>> + Send;

    /// Sets when the lease ends, if the claim is still held and in progress: later, to go on with the work; now, to leave
    /// it to another as one that was not finished.
    fn set_lease(&self, claim: &Claim, until: SystemTime)
    -> impl Future<Output = Result<Ownership, StoreError>> + Send;

    /// Counts a failed attempt, once, and says how many there were.
    fn count_try(&self, attempt: &Attempt) -> impl Future<Output = Result<Tries, StoreError>> + Send;

    /// Takes back an attempt that [`IdempotencyStore::count_try`] counted: it counts no more, also if it is told again.
    fn take_back(&self, attempt: &Attempt) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl<S: IdempotencyStore> IdempotencyStore for &S {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        (**self).claim(claim, now).await
    }

    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        (**self).complete(claim, now).await
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        (**self).release(claim).await
    }

    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        (**self).set_lease(claim, until).await
    }

    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        (**self).count_try(attempt).await
    }

    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        (**self).take_back(attempt).await
    }
}
