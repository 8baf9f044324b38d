//! A machine on which code under test runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    clock::HostClock,
    faults::Operation,
    history::{Name, What, Work},
    lambda::FunctionClient,
    seed::Stream,
    service::{Aws, Connection, locked},
    sqs::QueueClient,
    store::StoreClient,
};
use crate::delivery::CallError;

/// One process's view of the world: its clock, its chance, and the services, all through one connection. A function's
/// handlers get one each; a consumer's comes from [`super::World::host`].
#[derive(Debug, Clone)]
pub struct Host {
    connection: Connection,
    clock: HostClock,
    random: Arc<Stream>,
}

impl Host {
    pub(super) fn new(aws: &Arc<Aws>, name: &str) -> Self {
        let seed = aws.seed.fork(&format!("host {name}"));
        let connection = Connection {
            aws: aws.clone(),
            by: name.into(),
            draws: Arc::new(seed.fork("connection")),
            is_alive: Arc::new(AtomicBool::new(true)),
            patience: aws.plan.answer_timeout,
        };
        let clock = HostClock::drawn(aws.start, &seed.fork("clock"));
        Self { connection, clock, random: Arc::new(seed.fork("random")) }
    }

    /// `worker/3` is the third process of the function `worker`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.connection.by
    }

    /// Its clock, up to five seconds wrong.
    #[must_use]
    pub fn clock(&self) -> HostClock {
        self.clock
    }

    /// What it draws from.
    #[must_use]
    pub fn random(&self) -> Arc<Stream> {
        self.random.clone()
    }

    /// Every queue: the ports `SourceQueue`, `DeadLetterQueue` and `ReceivingQueue`.
    #[must_use]
    pub fn queues(&self) -> QueueClient {
        QueueClient { connection: self.connection.clone() }
    }

    /// The idempotency store of this name: the same for all hosts.
    #[must_use]
    pub fn store(&self, table: &str) -> StoreClient {
        let store = locked(&self.connection.aws.tables).entry(table.into()).or_default().clone();
        StoreClient { connection: self.connection.clone(), table: table.into(), store }
    }

    /// A function to invoke.
    #[must_use]
    pub fn function(&self, name: &str) -> FunctionClient {
        FunctionClient { connection: self.connection.clone(), function: name.into() }
    }

    /// A call of some service of the handler's own: it takes milliseconds, and fails as the plan has it.
    pub async fn call(&self, downstream: &str) -> Result<(), CallError> {
        Ok(self.connection.call(Operation::Downstream, downstream, |_| ()).await?)
    }

    /// Records that work on a message begins, and how it ends.
    #[must_use]
    pub fn work(&self, message_id: &str) -> WorkGuard {
        let guard = WorkGuard { host: self.clone(), message: message_id.into(), end: Work::Dropped };
        guard.record(Work::Began);
        guard
    }

    /// Adds a line to the history.
    pub fn note(&self, text: impl Into<String>) {
        self.connection.aws.record(What::Note { by: self.connection.by.clone(), text: text.into() });
    }

    /// From now on its calls have no effect and no answer.
    pub fn die(&self) {
        self.connection.is_alive.store(false, Ordering::Relaxed);
    }
}

/// Work on one message. Dropped before it ends, it was stopped.
#[derive(Debug)]
pub struct WorkGuard {
    host: Host,
    message: Name,
    end: Work,
}

impl WorkGuard {
    /// The effect is there.
    pub fn succeed(mut self) {
        self.end = Work::Succeeded;
    }

    /// There is no effect.
    pub fn fail(mut self) {
        self.end = Work::Failed;
    }

    fn record(&self, work: Work) {
        let (message, by) = (self.message.clone(), self.host.connection.by.clone());
        self.host.connection.aws.record(What::Work { message, by, work });
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        self.record(self.end);
    }
}
