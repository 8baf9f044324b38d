//! The idempotency store, over a network: `AWS-SEMANTICS.md` §11.

use std::{future::Future, sync::Arc, time::SystemTime};

use futures::FutureExt;

use super::{
    faults::Operation,
    history::{Name, StoreStep, What},
    service::Connection,
};
use crate::idempotency::{Attempt, Claim, ClaimAnswer, IdempotencyStore, MemoryStore, Ownership, StoreError, Tries};

/// One table, for one host. Y1: conditional writes are atomic; Y3: a call that was not answered may have been done; Y5:
/// what is expired is still there and is told by its time.
#[derive(Debug, Clone)]
pub struct StoreClient {
    pub(super) connection: Connection,
    pub(super) table: Name,
    pub(super) store: Arc<MemoryStore>,
}

impl StoreClient {
    /// Carries one operation to the table, and notes what it did there.
    async fn call<T, F>(
        &self,
        key: &str,
        operation: impl FnOnce(Arc<MemoryStore>) -> F + Send + 'static,
        step: fn(&T) -> StoreStep,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>>,
    {
        let (store, by, key) = (self.store.clone(), self.connection.by.clone(), Name::from(key));
        let done = self.connection.call(Operation::Store, &self.table, move |aws| {
            let answer = operation(store).now_or_never();
            let answer = answer.unwrap_or_else(|| Err(StoreError("the store in memory waited".to_owned())));
            if let Ok(answer) = &answer {
                aws.record(What::Stored { key, by, step: step(answer) });
            }
            answer
        });
        done.await.map_err(|problem| StoreError(problem.text().to_owned()))?
    }
}

fn or_lost(step: StoreStep, ownership: Ownership) -> StoreStep {
    match ownership {
        Ownership::Held => step,
        Ownership::Lost => StoreStep::Lost,
    }
}

impl IdempotencyStore for StoreClient {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        let wanted = claim.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.claim(&wanted, now).await };
        self.call(&claim.key, operation, |answer| match answer {
            ClaimAnswer::Granted { .. } => StoreStep::Granted,
            ClaimAnswer::Completed { .. } => StoreStep::AlreadyDone,
            ClaimAnswer::InProgress { .. } => StoreStep::InProgress,
        })
        .await
    }

    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        let held = claim.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.complete(&held, now).await };
        self.call(&claim.key, operation, |&ownership| or_lost(StoreStep::Completed, ownership)).await
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let held = claim.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.release(&held).await };
        self.call(&claim.key, operation, |&ownership| or_lost(StoreStep::Released, ownership)).await
    }

    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        let held = claim.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.set_lease(&held, until).await };
        self.call(&claim.key, operation, |&ownership| or_lost(StoreStep::LeaseSet, ownership)).await
    }

    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        let made = attempt.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.count_try(&made).await };
        self.call(&attempt.key, operation, |_| StoreStep::TryCounted).await
    }

    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let made = attempt.clone();
        let operation = move |store: Arc<MemoryStore>| async move { store.take_back(&made).await };
        self.call(&attempt.key, operation, |()| StoreStep::TryTakenBack).await
    }
}
