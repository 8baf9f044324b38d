//! The port: what a store must be able to do.

use std::{future::Future, time::SystemTime};

/// One worker's claim to an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The effect's name, at most 2,048 bytes.
    pub key: String,
    /// This claim and no other, of this worker or another.
    pub owner: String,
    /// Until when the claim holds without being completed.
    pub lease_until: SystemTime,
    /// When the record may be forgotten.
    pub expires_at: SystemTime,
}

/// What a store says to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The work is this worker's.
    Granted,
    /// The work was done.
    Completed,
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

/// The store could not be asked, or could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("idempotency store: {0}")]
pub struct StoreError(pub String);

/// Remembers effects.
pub trait IdempotencyStore {
    /// Claims an effect that is unknown, expired, or in progress with a lapsed lease. A claim made twice with the same
    /// owner is granted twice: the first answer may have been lost.
    fn claim(&self, claim: &Claim, now: SystemTime) -> impl Future<Output = Result<ClaimAnswer, StoreError>>;

    /// Remembers the effect as done until the claim's expiry, if the claim is still held.
    fn complete(&self, claim: &Claim) -> impl Future<Output = Result<Ownership, StoreError>>;

    /// Forgets the claim, if it is still held, so that the effect may be tried again at once.
    fn release(&self, claim: &Claim) -> impl Future<Output = Result<Ownership, StoreError>>;
}

impl<S: IdempotencyStore> IdempotencyStore for &S {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        (**self).claim(claim, now).await
    }

    async fn complete(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        (**self).complete(claim).await
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        (**self).release(claim).await
    }
}
