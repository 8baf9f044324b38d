//! Runs work once.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    key::{Effect, key},
    store::{Attempt, Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError, Tries},
};
use crate::{
    clock::Clock,
    deadline::{Attempts, Deadline},
    random::Random,
    record_error::RecordError,
};

/// How a handler's success came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The work was done now.
    Done,
    /// It had been done by an earlier delivery.
    Duplicate,
}

/// Handlers that answer `()` did the work.
impl From<()> for Completion {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// Another worker is at the same effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("in progress elsewhere")]
pub struct InProgress;

/// The effect was done, with another payload: one of the two messages bears the other's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another message with the same idempotency key and another payload was done already")]
pub struct OtherPayload;

/// The longest SQS keeps a message: no duplicate comes later.
const LONGEST_RETENTION: Duration = Duration::from_hours(24 * 14);
/// Answers that are kept.
const MAX_ANSWER_BYTES: usize = 256 * 1_024;
/// A lease outlives its invocation by this much: clocks differ.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// Keeps work from being repeated, with a store.
///
/// ```
/// # use std::sync::Arc;
/// # use serde_json::json;
/// # use sluicegate::{clock::SystemClock, delivery::{Completion, Deadline, RecordError}, random::SystemRandom};
/// # use sluicegate::idempotency::{Effect, Guard, MemoryStore};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let guard = Guard::new(MemoryStore::default(), "sms-sender", Arc::new(SystemClock), Arc::new(SystemRandom));
/// let effect = Effect::named("Alert", &json!("disk full")).ok_or("no name")?;
/// let first = guard.once(&effect, Deadline::after(None), async { Ok(()) }).await;
/// let again = guard.once(&effect, Deadline::after(None), async { Ok(()) }).await;
/// assert_eq!((first.ok(), again.ok()), (Some(Completion::Done), Some(Completion::Duplicate)));
/// # Ok(())
/// # }
/// ```
pub struct Guard<S> {
    store: S,
    function: String,
    /// How long anything is remembered.
    expiry: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// What became of guarded work.
enum Guarded<T> {
    Done(T),
    Duplicate { answer: Option<String> },
}

/// What became of a claim.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// The work is ours.
    Granted {
        claim: Claim,
        /// Another worker may have been killed by it.
        is_suspect: bool,
    },
    /// It was done before.
    Duplicate {
        /// What it answered, where that was kept.
        answer: Option<String>,
    },
    /// Its name belongs to another payload.
    OtherPayload,
    /// Another worker is at it, for so long at the most.
    InProgress { left: Duration },
}

impl<S> std::fmt::Debug for Guard<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("function", &self.function).field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

impl<S: IdempotencyStore> Guard<S> {
    /// Remembers the effects of `function` as long as SQS may keep a message at the most: fourteen days.
    pub fn new(store: S, function: impl Into<String>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { store, function: function.into(), expiry: LONGEST_RETENTION, clock, random }
    }

    /// Remembers effects for less: as long as the queue keeps messages.
    #[must_use]
    pub fn remembering_for(mut self, expiry: Duration) -> Self {
        self.expiry = expiry;
        self
    }

    /// Does the work unless it was done before.
    ///
    /// Work that fails or panics is forgotten, so that it may be tried again at once; work that is dropped half-way is
    /// free again when the invocation would have been over.
    pub async fn once(
        &self,
        effect: &Effect,
        deadline: Deadline,
        work: impl Future<Output = Result<(), RecordError>>,
    ) -> Result<Completion, RecordError> {
        Ok(match self.guarded(effect, deadline, work, |()| Ok(None)).await? {
            Guarded::Done(()) => Completion::Done,
            Guarded::Duplicate { .. } => Completion::Duplicate,
        })
    }

    /// As [`Guard::once`], for work whose answer somebody waits for: a duplicate gets the answer of the first again. The
    /// store keeps it as JSON beside the effect. An answer of more than 256 KiB is not kept (an item of `DynamoDB` holds 400
    /// KB), and what was done by [`Guard::once`] under the same name has none: asking for it is rejected, not done again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use serde_json::json;
    /// # use sluicegate::{clock::SystemClock, delivery::{Deadline, RecordError}, random::SystemRandom};
    /// # use sluicegate::idempotency::{Effect, Guard, MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let guard = Guard::new(MemoryStore::default(), "shop", Arc::new(SystemClock), Arc::new(SystemRandom));
    /// let effect = Effect::named("Order", &json!(17)).ok_or("no name")?;
    /// let receipt = guard.once_with_answer(&effect, Deadline::after(None), async { Ok("receipt 1".to_owned()) }).await;
    /// let again = guard.once_with_answer(&effect, Deadline::after(None), async { Ok("receipt 2".to_owned()) }).await;
    /// assert_eq!((receipt.ok().as_deref(), again.ok().as_deref()), (Some("receipt 1"), Some("receipt 1")));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn once_with_answer<T: Serialize + DeserializeOwned>(
        &self,
        effect: &Effect,
        deadline: Deadline,
        work: impl Future<Output = Result<T, RecordError>>,
    ) -> Result<T, RecordError> {
        let keep = |answer: &T| serde_json::to_string(answer).map(Some);
        match self.guarded(effect, deadline, work, keep).await? {
            Guarded::Done(answer) => Ok(answer),
            Guarded::Duplicate { answer } => {
                let answer = answer.ok_or_else(|| RecordError::reject("done before, and its answer was not kept"))?;
                // No value of the answer is in the reason.
                serde_json::from_str(&answer)
                    .map_err(|_| RecordError::reject("done before, with another kind of answer"))
            }
        }
    }

    /// The work, unless it was done before; what `keep` makes of its answer is remembered with it.
    async fn guarded<T>(
        &self,
        effect: &Effect,
        deadline: Deadline,
        work: impl Future<Output = Result<T, RecordError>>,
        keep: impl FnOnce(&T) -> serde_json::Result<Option<String>>,
    ) -> Result<Guarded<T>, RecordError> {
        let claiming = deadline.attempts(deadline.work_ends_at());
        let mut claim = match self.claim(effect, None, deadline.remaining(), claiming).await? {
            Claimed::Granted { claim, .. } => claim,
            Claimed::Duplicate { answer } => return Ok(Guarded::Duplicate { answer }),
            Claimed::OtherPayload => return Err(RecordError::reject(OtherPayload)),
            Claimed::InProgress { left } => return Err(RecordError::later(left, InProgress)),
        };
        let worked = AssertUnwindSafe(work).catch_unwind().await;
        let telling = deadline.attempts(deadline.completion_ends_at());
        if let Ok(Ok(answer)) = &worked {
            // Work that is done is done, whether or not its answer can be written: else it would be repeated.
            claim.answer = keep(answer).unwrap_or_default().filter(|answer| answer.len() <= MAX_ANSWER_BYTES);
            self.complete(&claim, telling).await;
        } else {
            self.release(&claim, telling).await;
        }
        match worked {
            Ok(Ok(answer)) => Ok(Guarded::Done(answer)),
            Ok(Err(error)) => Err(error),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Claims an effect for as long as the invocation lasts. `sent_at` is when the message was sent that asks for it.
    pub(crate) async fn claim(
        &self,
        effect: &Effect,
        sent_at: Option<SystemTime>,
        remaining: Duration,
        attempts: Attempts,
    ) -> Result<Claimed, StoreError> {
        let now = self.clock.now();
        let claim = Claim {
            key: effect.key(&self.function),
            owner: self.random.token(),
            lease_until: now + remaining + CLOCK_TOLERANCE,
            expires_at: now + remaining + self.expiry,
            payload_hash: effect.payload_hash.clone(),
            stale_before: effect.repeats_after.zip(sent_at).and_then(|(after, sent_at)| sent_at.checked_sub(after)),
            answer: None,
        };
        let answer = attempts.make(|| self.store.claim(&claim, self.clock.now())).await.unwrap_or_else(unanswered)?;
        Ok(match answer {
            ClaimAnswer::Granted { after_lapsed_lease } => Claimed::Granted { claim, is_suspect: after_lapsed_lease },
            ClaimAnswer::Completed { payload_hash, answer } => match payload_hash.zip(claim.payload_hash) {
                Some((done, asked)) if done != asked => Claimed::OtherPayload,
                _ => Claimed::Duplicate { answer },
            },
            ClaimAnswer::InProgress { lease_until } => Claimed::InProgress {
                left: lease_until.duration_since(self.clock.now()).unwrap_or_default() + Duration::from_secs(1),
            },
        })
    }

    /// Remembers the work as done; whether it is.
    pub(crate) async fn complete(&self, claim: &Claim, attempts: Attempts) -> bool {
        let outcome = attempts.make(|| self.store.complete(claim, self.clock.now())).await;
        is_held(outcome.unwrap_or_else(unanswered), "completed")
    }

    /// Forgets a claim, so that anybody may claim the effect at once.
    pub(crate) async fn release(&self, claim: &Claim, attempts: Attempts) {
        is_held(attempts.make(|| self.store.release(claim)).await.unwrap_or_else(unanswered), "released");
    }

    /// Leaves a claim as one that its worker did not finish: whoever claims next finds a suspect. Its lease is over by
    /// anybody's clock.
    pub(crate) async fn leave(&self, claim: &Claim, attempts: Attempts) {
        let over = SystemTime::UNIX_EPOCH;
        is_held(attempts.make(|| self.store.set_lease(claim, over)).await.unwrap_or_else(unanswered), "left");
    }

    /// Counts a failed attempt at a message, or one that may kill its worker before it can say so.
    pub(crate) async fn count_try(&self, attempt: &Attempt, attempts: Attempts) -> Result<Tries, StoreError> {
        attempts.make(|| self.store.count_try(attempt)).await.unwrap_or_else(unanswered)
    }

    /// Takes back what [`Guard::count_try`] counted ahead of work that did not fail.
    pub(crate) async fn take_back(&self, attempt: &Attempt, attempts: Attempts) {
        let outcome = attempts.make(|| self.store.take_back(attempt)).await.unwrap_or_else(unanswered);
        if let Err(error) = outcome {
            tracing::warn!(%error, "a try that did not fail stays counted");
        }
    }

    /// An attempt at a message that begins now.
    pub(crate) fn attempt(&self, message_id: &str) -> Attempt {
        let at = self.clock.now();
        Attempt {
            key: key([self.function.as_str(), "tries", message_id].into_iter()),
            token: format!("{:016x}", self.random.bits()),
            at,
            expires_at: at + self.expiry,
        }
    }
}

fn unanswered<T>() -> Result<T, StoreError> {
    Err(StoreError("no answer in the time there was".to_owned()))
}

/// The work's own outcome stands whatever the store says of it afterwards: only what it remembers may be wrong.
fn is_held(outcome: Result<Ownership, StoreError>, attempted: &'static str) -> bool {
    match outcome {
        Ok(Ownership::Held) => return true,
        Ok(Ownership::Lost) => {
            tracing::warn!(attempted, "lease lapsed: another worker may have repeated the work");
        }
        Err(error) => tracing::warn!(attempted, %error, "idempotency record not written"),
    }
    false
}

#[cfg(test)]
mod tests;
