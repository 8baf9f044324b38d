//! What has been done already: work that is not repeated when a message is delivered again.
//!
//! SQS and Lambda deliver at least once. With a store, an effect that has a name (its *idempotency key*) happens once:
//!
//! ```text
//!                 claim: absent, expired, or a lapsed lease
//!      (nothing) ───────────────────────────────────────────► in progress ──── complete ───► completed
//!          ▲                                                   owner, lease                       │
//!          └────────────────── release: the work failed ───────────┘                              │
//!          └────────────────────────────── expiry: an hour by default ────────────────────────────┘
//! ```
//!
//! - A claim is one conditional write. Refused, it brings the old item back: a duplicate costs one write and no read.
//! - Each claim has an owner token. Completion and release are conditional on it, so that a worker that outlived its
//!   lease can not overwrite the next owner.
//! - The lease lasts as long as the invocation may. A worker that died holds nobody up for longer.
//! - "In progress elsewhere" is no failure: the record comes back when the lease is over.
//! - The store fails closed: when it cannot be asked, the work is not begun and the record is retried.
//!
//! What is not promised: work that ends after its lease, or whose process dies between its effect and `complete`, is
//! done again. Only an effect that is itself part of the store's transaction could promise more.

mod guard;
mod key;
mod memory;
mod store;

pub use self::{
    guard::{Guard, InProgress},
    key::{KeyTooLong, MAX_KEY_BYTES, for_effect, for_object, for_record},
    memory::MemoryStore,
    store::{Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError},
};
