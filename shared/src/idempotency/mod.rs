//! What has been done already: work that is not repeated when a message is delivered again.
//!
//! SQS and Lambda deliver at least once. With a store, an effect that has a name (its *idempotency key*) happens once:
//!
//! ```text
//!                 claim: absent, expired, or a lapsed lease
//!      (nothing) ───────────────────────────────────────────► in progress ──── complete ───► completed
//!          ▲                                                   owner, lease                       │
//!          └────────────────── release: the work failed ───────────┘                              │
//!          └───────────── expiry: as long as the queue keeps messages ────────────────────────────┘
//! ```
//!
//! - A claim is one conditional write that brings the old item back: a duplicate costs one write and no read.
//! - Each claim has an owner token. Completion and release are conditional on it, so that a worker that outlived its
//!   lease can not overwrite the next owner.
//! - The lease lasts as long as the invocation may, and ten seconds more: clocks differ. A worker that died holds nobody
//!   up for longer. A claim granted over a lapsed lease marks a *suspect*: its work may have killed that worker.
//! - "In progress elsewhere" is no failure: the record comes back when the lease is over.
//! - The store fails closed: when it cannot be asked, the work is not begun and the record comes again.
//! - Failed tries are counted by message, in an item of their own: SQS's receive count counts deliveries, not tries.
//!
//! What is not promised: work that ends after its lease, or whose process dies between its effect and `complete`, is
//! done again. Only an effect that is itself part of the store's transaction could promise more.

mod guard;
mod key;
mod memory;
mod store;

pub(crate) use self::guard::Claimed;
#[cfg(feature = "lambda")]
pub(crate) use self::key::hash;
pub use self::{
    guard::{Completion, Guard, InProgress, OtherPayload},
    key::{Effect, fitted},
    memory::MemoryStore,
    store::{Attempt, Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError, Tries},
};
