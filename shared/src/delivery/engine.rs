//! The engine: a batch in, a report out, and in between the whole of a record's life.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{
    in_flight::{HandleTimes, InFlight},
    port::{DeadLetterQueue, SourceQueue},
    report::Report,
    retry::RetryPolicy,
    run::Run,
    work::Work,
};
use crate::{
    clock::{Clock, SystemClock},
    deadline::Deadline,
    events::{Batch, Queue},
    idempotency::{Guard, IdempotencyStore, MemoryStore},
    random::{Random, SystemRandom},
};

/// How records are worked on.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Records (on a FIFO queue: groups) at work at the same time. Default 10.
    pub concurrency: usize,
    /// How long failed messages stay away, and when a failure is the last.
    pub retry: RetryPolicy,
    /// Where rejected messages go. A queue that is not named here has its failures left to its redrive policy.
    pub dead_letter_queues: DeadLetterQueues,
    /// The queue's visibility timeout, where a dispatch does not say it. Default: not known. Where it ends before the
    /// invocation does, messages are kept invisible for this long at a time until they are settled.
    pub visibility: Option<Duration>,
    /// Fail the invocation when every record of a batch larger than one failed for a reason worth a retry, so that the
    /// function's `Errors` metric moves. Default: yes.
    pub fail_whole_batch: bool,
    /// How much the receiver's clock may differ from this one. Default 10 s; none where they are the same.
    pub clock_tolerance: Duration,
    /// Whether other invocations may run in the same process. Its death then says nothing of one record: no try is counted
    /// before the work has failed. Default: no.
    pub shares_process: bool,
    /// The function's own region: where queues are that are known by the URL of another host than AWS's.
    pub region: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            concurrency: 10,
            retry: RetryPolicy::default(),
            dead_letter_queues: DeadLetterQueues::default(),
            visibility: None,
            fail_whole_batch: true,
            clock_tolerance: Duration::from_secs(10),
            shares_process: false,
            region: None,
        }
    }
}

/// The dead-letter queue of each source queue: by the source's name, the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterQueues(pub BTreeMap<String, String>);

impl DeadLetterQueues {
    /// Where rejected messages of this queue go.
    #[must_use]
    pub fn of(&self, queue: &Queue) -> Option<&str> {
        self.0.get(queue.name()).map(String::as_str)
    }
}

/// Reads `<source queue name>=<url>,…`.
impl std::str::FromStr for DeadLetterQueues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| {
            let (name, url) = pair.trim().split_once('=').ok_or_else(|| format!("{pair:?} has no `=`"))?;
            let queue = Queue::from_url(url).map_err(|_| format!("{url:?} is no queue URL"))?;
            if queue.name() == name {
                return Err(format!("{name} is its own dead-letter queue: what is rejected would never leave it"));
            }
            Ok((name.to_owned(), url.to_owned()))
        };
        text.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect::<Result<_, _>>().map(Self)
    }
}

/// Works on batches of a queue.
pub struct Engine<P, S = MemoryStore> {
    pub(crate) port: P,
    pub(crate) policy: Policy,
    /// What has been done already, where there is a store for it.
    pub(crate) guard: Option<Guard<S>>,
    /// How often messages failed, where there is no store.
    pub(crate) tries: Guard<MemoryStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl<P: fmt::Debug, S> fmt::Debug for Engine<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, policy, guard, .. } = self;
        f.debug_struct("Engine")
            .field("port", port)
            .field("policy", policy)
            .field("guard", guard)
            .finish_non_exhaustive()
    }
}

impl<P> Engine<P> {
    /// An engine on this queue. Failed tries are counted in the process, until [`Engine::with_store`] gives it a store.
    pub fn new(port: P, policy: Policy) -> Self {
        Self::in_world(port, policy, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// As [`Engine::new`], with a clock and with chances of one's own.
    pub fn in_world(port: P, policy: Policy, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let tries = Guard::new(MemoryStore::default(), "", Arc::clone(&clock), Arc::clone(&random));
        Self { port, policy, guard: None, tries, clock, random }
    }
}

impl<P, S> Engine<P, S> {
    /// Remembers in `store`, where there is one, what `function` has done and how often messages failed.
    #[must_use]
    pub fn with_store<T: IdempotencyStore>(self, store: Option<T>, function: impl Into<String>) -> Engine<P, T> {
        let Self { port, policy, tries, clock, random, .. } = self;
        let guard = store.map(|store| {
            let guard = Guard::new(store, function, Arc::clone(&clock), Arc::clone(&random));
            match policy.retry.retention {
                Some(retention) => guard.remembering_for(retention),
                None => guard,
            }
        });
        Engine { port, policy, guard, tries, clock, random }
    }

    /// How records are worked on.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The queue's adapter.
    pub fn port(&self) -> &P {
        &self.port
    }
}

impl<P: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Engine<P, S> {
    /// Works on one batch: does the work, sends what is rejected or given up to the dead-letter queue, sets the delays of
    /// what comes again and deletes what was dispatched and is done.
    ///
    /// Ends before the deadline. Cancelling the future leaves every message not yet deleted to its visibility timeout.
    pub async fn run<W: Work>(&self, batch: Batch, deadline: Deadline, work: &W) -> Report {
        let Batch { source, queue, received_at, visibility, records, unnamed, .. } = batch;
        let age = received_at.map(|received_at| self.clock.now().duration_since(received_at).unwrap_or_default());
        let age = age.map(|age| age + self.policy.clock_tolerance);
        let visibility = visibility.or(self.policy.visibility);
        let times = HandleTimes::new(age, visibility);
        let messages = InFlight::of_batch(records, times);
        if !messages.is_empty() {
            // The invocation will fail for what cannot be named: what is done must not come again with the rest.
            let deletes_all = unnamed > 0;
            let run = Run::new(self, work, (source, &queue), deadline, &messages);
            run.run(visibility, deletes_all).await;
        }
        let deliveries = messages.into_iter().map(InFlight::into_delivery).collect();
        Report { source, queue, deliveries, unnamed, fail_whole_batch: self.policy.fail_whole_batch }
    }
}

#[cfg(test)]
mod tests;
