//! A function and its processes.

use std::{
    cell::{Cell, RefCell},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures::FutureExt;
use tokio::time::sleep;

use super::{
    Handler, Outcome,
    kill::{Kill, until_killed},
};
use crate::testing::{
    history::{End, Name, What},
    host::Host,
    service::{Aws, Connection},
};

/// L7: bytes of a synchronous request or response.
pub(super) const MAX_PAYLOAD_BYTES: usize = 6 * 1_048_576;
/// Idle processes that are gone when they are wanted, in ten thousand (L13).
const GONE: u32 = 200;

/// A function's settings, with Lambda's defaults but for the time-out.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// By what it is invoked.
    pub name: String,
    /// L10: 1 to 900 s.
    pub timeout: Duration,
    /// Invocations at a time; 0: none at all (L4).
    pub concurrency: u32,
    /// L1: how often a failed event is tried again: 0 to 2.
    pub retries: u32,
    /// L2: how old an event may get: 60 s to 6 h.
    pub max_event_age: Duration,
    /// L5: the queue that takes events which are given up.
    pub on_failure: Option<String>,
}

impl FunctionConfig {
    /// A function of this name that may take so long; concurrency 1,000, two retries, six hours.
    #[must_use]
    pub fn named(name: &str, timeout: Duration) -> Self {
        Self {
            name: name.to_owned(),
            timeout,
            concurrency: 1_000,
            retries: 2,
            max_event_age: Duration::from_hours(6),
            on_failure: None,
        }
    }
}

type Factory = Box<dyn Fn(&Host) -> Box<dyn Handler>>;

/// One environment: it handles one invocation at a time, and dies with all it remembers.
struct Process {
    host: Host,
    handler: Box<dyn Handler>,
}

pub(in crate::testing) struct Function {
    pub(in crate::testing) aws: Arc<Aws>,
    pub(in crate::testing) config: FunctionConfig,
    /// For its own draws, and for what it sends to its destination.
    pub(super) connection: Connection,
    factory: Factory,
    idle: RefCell<Vec<Process>>,
    running: Cell<u32>,
    invocations: Cell<u64>,
    processes: Cell<u64>,
}

impl Function {
    pub(in crate::testing) fn new(aws: &Arc<Aws>, config: FunctionConfig, factory: Factory) -> Self {
        Self {
            aws: aws.clone(),
            connection: aws.connection(&format!("function {}", config.name)),
            config,
            factory,
            idle: RefCell::default(),
            running: Cell::new(0),
            invocations: Cell::new(0),
            processes: Cell::new(0),
        }
    }

    /// One invocation, in a warm process where there is one. `messages`: a mapping's, for the history.
    pub(super) async fn run(&self, payload: &str, messages: Vec<Name>) -> Outcome {
        // E16, L9.
        if self.running.get() >= self.config.concurrency {
            self.aws.record(What::Throttled { function: self.config.name.as_str().into() });
            return Outcome::Throttled;
        }
        self.running.set(self.running.get() + 1);
        let process = self.process().await;
        let invocation = self.invocations.get() + 1;
        self.invocations.set(invocation);
        let name: Name = process.host.name().into();
        self.aws.record(What::Started { process: name.clone(), invocation, messages });
        let (end, outcome) = self.work(&process, payload).await;
        self.aws.record(What::Ended { process: name, invocation, end });
        match end {
            // L12: the next invocation begins anew.
            End::TimedOut | End::Killed => process.host.die(),
            End::Answered | End::Failed => self.idle.borrow_mut().push(process),
        }
        self.running.set(self.running.get() - 1);
        outcome
    }

    async fn work(&self, process: &Process, payload: &str) -> (End, Outcome) {
        let timeout = self.config.timeout;
        let dies = self.connection.draws.happens(self.aws.rates().kill);
        let kill = dies.then(|| Kill::draw(&self.connection.draws, timeout));
        let work = AssertUnwindSafe(process.handler.handle(payload, timeout)).catch_unwind();
        let ended = tokio::select! {
            biased;
            ended = until_killed(kill, work) => ended,
            () = sleep(timeout) => {
                return (End::TimedOut, Outcome::Failed("Task timed out".to_owned()));
            }
        };
        match ended {
            None => (End::Killed, Outcome::Failed("Runtime exited with error: signal: killed".to_owned())),
            Some(Ok(Ok(answer))) if answer.len() <= MAX_PAYLOAD_BYTES => (End::Answered, Outcome::Answered(answer)),
            // L8.
            Some(Ok(Ok(_))) => (End::Failed, Outcome::Failed("ResponseSizeTooLarge".to_owned())),
            Some(Ok(Err(error))) => (End::Failed, Outcome::Failed(error)),
            Some(Err(_)) => (End::Failed, Outcome::Failed("the handler panicked".to_owned())),
        }
    }

    async fn process(&self) -> Process {
        let warm = self.idle.borrow_mut().pop();
        if let Some(process) = warm {
            if !self.connection.draws.happens(GONE) {
                return process;
            }
            process.host.die();
        }
        // L11.
        sleep(self.connection.draws.time(Duration::from_millis(5), Duration::from_millis(300))).await;
        self.processes.set(self.processes.get() + 1);
        let name = format!("{}/{}", self.config.name, self.processes.get());
        let host = Host::new(&self.aws, &name);
        let handler = (self.factory)(&host);
        Process { host, handler }
    }
}
