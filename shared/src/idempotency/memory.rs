//! A store for tests and single processes.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::store::{Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError};

/// Remembers effects for as long as the process lives. Expired ones are dropped when their key is claimed again.
#[derive(Debug, Default)]
pub struct MemoryStore {
    items: Mutex<HashMap<String, Item>>,
}

#[derive(Debug, Clone)]
struct Item {
    owner: String,
    /// `None` once completed.
    lease_until: Option<SystemTime>,
    expires_at: SystemTime,
}

impl MemoryStore {
    fn items(&self) -> MutexGuard<'_, HashMap<String, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdempotencyStore for MemoryStore {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        let mut items = self.items();
        if let Some(item) = items.get(&claim.key).filter(|item| item.expires_at >= now && item.owner != claim.owner) {
            match item.lease_until {
                None => return Ok(ClaimAnswer::Completed),
                Some(lease_until) if lease_until >= now => return Ok(ClaimAnswer::InProgress { lease_until }),
                Some(_lapsed) => {}
            }
        }
        items.insert(
            claim.key.clone(),
            Item { owner: claim.owner.clone(), lease_until: Some(claim.lease_until), expires_at: claim.expires_at },
        );
        Ok(ClaimAnswer::Granted)
    }

    async fn complete(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        match self.items().get_mut(&claim.key).filter(|item| item.owner == claim.owner) {
            None => Ok(Ownership::Lost),
            Some(item) => {
                item.lease_until = None;
                Ok(Ownership::Held)
            }
        }
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let mut items = self.items();
        let is_held = items.get(&claim.key).is_some_and(|item| item.owner == claim.owner && item.lease_until.is_some());
        if !is_held {
            return Ok(Ownership::Lost);
        }
        items.remove(&claim.key);
        Ok(Ownership::Held)
    }
}
