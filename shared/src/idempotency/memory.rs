//! A store for tests and single processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::store::{Attempt, Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError, Tries};

/// Remembers as long as the process lives, at most [`MemoryStore::MAX_ITEMS`] effects and as many counts. What is expired
/// is dropped first, then what expires soonest.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    effects: BTreeMap<String, Effect>,
    tries: BTreeMap<String, Counted>,
}

#[derive(Debug, Clone)]
struct Effect {
    owner: String,
    phase: Phase,
    payload_hash: Option<String>,
    answer: Option<String>,
    expires_at: SystemTime,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    InProgress { lease_until: SystemTime },
    Completed { at: SystemTime },
}

#[derive(Debug, Clone)]
struct Counted {
    marks: BTreeSet<String>,
    taken_back: BTreeSet<String>,
    expires_at: SystemTime,
}

impl MemoryStore {
    /// Effects that are remembered: some ten megabytes.
    pub const MAX_ITEMS: usize = 65_536;

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more: drops what is expired, and where nothing is, the half that expires soonest.
fn make_room<T>(items: &mut BTreeMap<String, T>, now: SystemTime, expires_at: impl Fn(&T) -> SystemTime) {
    if items.len() < MemoryStore::MAX_ITEMS {
        return;
    }
    items.retain(|_, item| expires_at(item) >= now);
    if items.len() >= MemoryStore::MAX_ITEMS {
        let mut times: Vec<SystemTime> = items.values().map(&expires_at).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        items.retain(|_, item| expires_at(item) > middle);
    }
}

impl IdempotencyStore for MemoryStore {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        let effects = &mut self.state().effects;
        make_room(effects, now, |effect| effect.expires_at);
        let mut after_lapsed_lease = false;
        if let Some(effect) = effects.get(&claim.key).filter(|effect| effect.expires_at >= now) {
            match effect.phase {
                // A call that came twice, perhaps long after the first: what became of the claim since stays.
                _ if effect.owner == claim.owner => return Ok(ClaimAnswer::Granted { after_lapsed_lease: false }),
                Phase::Completed { at } if claim.stale_before.is_some_and(|stale| at < stale) => {}
                Phase::Completed { .. } => {
                    let Effect { payload_hash, answer, .. } = effect.clone();
                    return Ok(ClaimAnswer::Completed { payload_hash, answer });
                }
                Phase::InProgress { lease_until } if lease_until >= now => {
                    return Ok(ClaimAnswer::InProgress { lease_until });
                }
                Phase::InProgress { .. } => after_lapsed_lease = true,
            }
        }
        let effect = Effect {
            owner: claim.owner.clone(),
            phase: Phase::InProgress { lease_until: claim.lease_until },
            payload_hash: claim.payload_hash.clone(),
            answer: None,
            expires_at: claim.expires_at,
        };
        effects.insert(claim.key.clone(), effect);
        Ok(ClaimAnswer::Granted { after_lapsed_lease })
    }

    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        match self.state().effects.get_mut(&claim.key).filter(|effect| effect.owner == claim.owner) {
            None => Ok(Ownership::Lost),
            Some(effect) => {
                effect.phase = Phase::Completed { at: now };
                effect.answer.clone_from(&claim.answer);
                Ok(Ownership::Held)
            }
        }
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let effects = &mut self.state().effects;
        let is_held = effects
            .get(&claim.key)
            .is_some_and(|effect| effect.owner == claim.owner && matches!(effect.phase, Phase::InProgress { .. }));
        if !is_held {
            return Ok(Ownership::Lost);
        }
        effects.remove(&claim.key);
        Ok(Ownership::Held)
    }

    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        match self.state().effects.get_mut(&claim.key).filter(|effect| effect.owner == claim.owner) {
            Some(Effect { phase: Phase::InProgress { lease_until }, .. }) => {
                *lease_until = until;
                Ok(Ownership::Held)
            }
            _ => Ok(Ownership::Lost),
        }
    }

    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        let tries = &mut self.state().tries;
        make_room(tries, attempt.at, |counted| counted.expires_at);
        let counted = tries.entry(attempt.key.clone()).or_insert_with(|| Counted {
            marks: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            expires_at: attempt.expires_at,
        });
        counted.marks.insert(attempt.mark());
        let marks = counted.marks.iter().map(String::as_str);
        let tries = Tries::of_marks(marks, |mark| counted.taken_back.contains(mark));
        Ok(tries.unwrap_or(Tries { count: 0, first_at: attempt.at }))
    }

    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        if let Some(counted) = self.state().tries.get_mut(&attempt.key) {
            counted.taken_back.insert(attempt.mark());
        }
        Ok(())
    }
}
