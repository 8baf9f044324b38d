//! What all hosts of a world share, and the way to it.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep},
};

use super::{
    disputes::Disputes,
    faults::{Fault, FaultPlan, Operation, Rates},
    history::{History, Name, What},
    lambda::Request,
    seed::Stream,
    sqs::SimulatedQueue,
};
use crate::{delivery::CallError, idempotency::MemoryStore};

/// The services of one world.
#[derive(Debug)]
pub(super) struct Aws {
    pub(super) start: Instant,
    pub(super) seed: Stream,
    pub(super) disputes: Disputes,
    pub(super) plan: FaultPlan,
    pub(super) history: History,
    pub(super) queues: Mutex<BTreeMap<Name, Arc<SimulatedQueue>>>,
    pub(super) tables: Mutex<BTreeMap<Name, Arc<MemoryStore>>>,
    pub(super) functions: Mutex<BTreeMap<Name, UnboundedSender<Request>>>,
}

/// A lock that no panic spoils.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Aws {
    /// The connection of a service of AWS itself, which waits a minute for an answer.
    pub(super) fn connection(self: &Arc<Self>, by: &str) -> Connection {
        Connection {
            aws: self.clone(),
            by: by.into(),
            draws: Arc::new(self.seed.fork(by)),
            is_alive: Arc::new(AtomicBool::new(true)),
            patience: Some(Duration::from_mins(1)),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn record(&self, what: What) {
        self.history.add(self.now(), what);
    }

    pub(super) fn rates(&self) -> Rates {
        self.plan.rates_at(self.now())
    }

    pub(super) fn queue(&self, name: &str) -> Option<Arc<SimulatedQueue>> {
        locked(&self.queues).get(name).cloned()
    }
}

/// Why a call was not answered well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Throttled,
    Refused,
    Unavailable,
    Unanswered,
}

impl Problem {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Throttled => "ThrottlingException: Rate exceeded",
            Self::Refused => "AccessDeniedException: not authorized to perform this action",
            Self::Unavailable => "InternalError: the service is unavailable",
            Self::Unanswered => "connection closed before the answer was complete",
        }
    }
}

impl From<Problem> for CallError {
    fn from(problem: Problem) -> Self {
        Self { message: problem.text().to_owned(), is_transient: problem != Problem::Refused }
    }
}

/// The way between one host and the services: calls take time on it, and get lost.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) aws: Arc<Aws>,
    /// Who calls.
    pub(super) by: Name,
    pub(super) draws: Arc<Stream>,
    /// A call of a host that died has no effect and no answer.
    pub(super) is_alive: Arc<AtomicBool>,
    /// After how long it gives up on an answer; `None`: never.
    pub(super) patience: Option<Duration>,
}

/// A call that reached its service.
#[derive(Debug)]
pub(super) struct Trip<'a> {
    connection: &'a Connection,
    fault: Option<Fault>,
}

impl Connection {
    /// Carries a request to its service.
    pub(super) async fn go(&self, operation: Operation, target: &str) -> Result<Trip<'_>, Problem> {
        sleep(Duration::from_millis(self.draws.between(1, 20))).await;
        if !self.is_alive.load(Ordering::Relaxed) {
            return pending().await;
        }
        let plan = &self.aws.plan;
        let now = self.aws.now();
        let fault = plan.outage(now, operation, target).or_else(|| plan.fault(now, &self.draws));
        if let Some(fault) = fault {
            self.aws.record(What::Fault { by: self.by.clone(), operation, target: target.into(), fault });
        }
        match fault {
            Some(Fault::Throttled) => return Err(Problem::Throttled),
            Some(Fault::Refused) => return Err(Problem::Refused),
            Some(Fault::Unavailable) => return Err(Problem::Unavailable),
            Some(Fault::Hung) => return Err(self.never().await),
            Some(Fault::Slow) => sleep(self.draws.time(Duration::from_millis(500), Duration::from_secs(20))).await,
            Some(Fault::AnswerLost | Fault::Late | Fault::Partial) | None => {}
        }
        Ok(Trip { connection: self, fault })
    }

    /// Carries a request to its service, what it does there, and the answer back.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        target: &str,
        effect: impl FnOnce(&Aws) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let trip = self.go(operation, target).await?;
        if trip.fault == Some(Fault::Late) {
            let (aws, delay) = (self.aws.clone(), self.draws.time(Duration::from_millis(500), Duration::from_secs(30)));
            tokio::spawn(async move {
                sleep(delay).await;
                effect(&aws);
            });
            return Err(self.never().await);
        }
        let answer = effect(&self.aws);
        trip.back().await?;
        Ok(answer)
    }

    /// Which of so many entries of a batch call fail.
    pub(super) fn failing_entries(&self, operation: Operation, target: &str, count: usize) -> Vec<usize> {
        let rate = self.aws.rates().partial;
        let failing: Vec<usize> = (0..count).filter(|_| self.draws.happens(rate)).collect();
        if !failing.is_empty() {
            let (by, target) = (self.by.clone(), target.into());
            self.aws.record(What::Fault { by, operation, target, fault: Fault::Partial });
        }
        failing
    }

    /// No answer: until the client gives up, where it does.
    async fn never(&self) -> Problem {
        match self.patience {
            Some(timeout) => sleep(timeout).await,
            None => pending().await,
        }
        Problem::Unanswered
    }
}

impl Trip<'_> {
    /// Carries the answer back.
    pub(super) async fn back(self) -> Result<(), Problem> {
        let draws = &self.connection.draws;
        sleep(Duration::from_millis(draws.between(1, 20))).await;
        match self.fault {
            Some(Fault::AnswerLost) if draws.flip() => Err(Problem::Unanswered),
            Some(Fault::AnswerLost | Fault::Late) => Err(self.connection.never().await),
            _ => Ok(()),
        }
    }
}
