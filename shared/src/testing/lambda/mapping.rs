//! Event source mappings.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Notify, task::spawn_local, time::sleep};

use super::{Function, Outcome, answer::failed_ids, event::event};
use crate::{
    delivery::{MAX_ENTRIES, SourceQueue},
    events::dispatch::Message,
    testing::{
        faults::Operation,
        service::{Aws, Connection},
        sqs::{Ask, QueueClient, SimulatedQueue},
    },
};

/// E8: concurrent invocations at first.
const INITIAL_CONCURRENCY: u32 = 5;
/// E8.
const MAX_CONCURRENCY: u32 = 1_000;
/// E6: bytes of messages a batch has room for.
const MAX_BATCH_BYTES: usize = 6_000_000;

/// An event source mapping's settings, with Lambda's defaults.
#[derive(Debug, Clone)]
pub struct MappingConfig {
    /// The queue's name. Its visibility timeout is at least the function's time-out (E3).
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// E4: 1 to 10; with a window up to 10,000.
    pub batch_size: usize,
    /// E5: 0 to 300 s; standard queues only.
    pub window: Duration,
    /// E10: 2 to 1,000.
    pub max_concurrency: Option<u32>,
    /// `ReportBatchItemFailures` (A7).
    pub reports_item_failures: bool,
}

impl MappingConfig {
    /// Batches of ten, no window, item failures reported.
    #[must_use]
    pub fn of(queue: &str, function: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            function: function.to_owned(),
            batch_size: 10,
            window: Duration::ZERO,
            max_concurrency: None,
            reports_item_failures: true,
        }
    }
}

/// A mapping at work. It never changes visibility (E1, E2), and does not poll where there is nothing.
pub(in crate::testing) struct Mapping {
    aws: Arc<Aws>,
    config: MappingConfig,
    queue: Arc<SimulatedQueue>,
    function: Rc<Function>,
    connection: Connection,
    /// How many invocations it allows itself now (E8, E17).
    limit: Cell<u32>,
    running: Cell<u32>,
    busy_groups: RefCell<BTreeSet<String>>,
    freed: Notify,
}

impl Mapping {
    pub(in crate::testing) fn new(config: MappingConfig, queue: Arc<SimulatedQueue>, function: Rc<Function>) -> Self {
        let aws = function.aws.clone();
        let connection = aws.connection(&format!("mapping of {}", config.queue));
        let limit = Cell::new(INITIAL_CONCURRENCY.min(config.max_concurrency.unwrap_or(MAX_CONCURRENCY)));
        let (running, busy_groups, freed) = (Cell::new(0), RefCell::default(), Notify::new());
        Self { aws, config, queue, function, connection, limit, running, busy_groups, freed }
    }

    /// Works until the world ends.
    pub(in crate::testing) async fn run(self: Rc<Self>) {
        loop {
            // E10: takes no more than it can hand on.
            while self.running.get() >= self.limit.get() {
                self.freed.notified().await;
            }
            while !self.queue.has_available(&self.aws) {
                self.queue.change(&self.aws, None).await;
            }
            let batch = self.collect().await;
            for batch in self.cut(batch) {
                self.running.set(self.running.get() + 1);
                let mapping = self.clone();
                spawn_local(async move {
                    mapping.hand_on(batch).await;
                    mapping.running.set(mapping.running.get() - 1);
                    mapping.freed.notify_waiters();
                });
            }
        }
    }

    /// One batch: E4, E5, E7.
    async fn collect(&self) -> Vec<Message> {
        let draws = &self.connection.draws;
        let mut batch = self.receive(self.config.batch_size).await;
        let mut window = self.config.window;
        if self.aws.disputes.mapping_lingers && !self.queue.queue.is_fifo() && self.config.batch_size > 1 {
            window = window.max(draws.time(Duration::ZERO, Duration::from_secs(20)));
        }
        let until = self.aws.now() + window;
        while !batch.is_empty() && batch.len() < self.config.batch_size && self.aws.now() < until {
            if self.queue.has_available(&self.aws) {
                batch.extend(self.receive(self.config.batch_size - batch.len()).await);
            } else {
                self.queue.change(&self.aws, Some(until)).await;
            }
        }
        // C4.
        if draws.happens(self.aws.rates().lost_receive) { Vec::new() } else { batch }
    }

    async fn receive(&self, max_messages: usize) -> Vec<Message> {
        let Connection { by, draws, .. } = &self.connection;
        let asked_at = self.aws.now();
        let ask = Ask { by: by.clone(), max_messages, visibility: None, asked_at, is_long: true };
        let Ok(trip) = self.connection.go(Operation::Receive, &self.queue.name).await else {
            sleep(draws.time(Duration::from_secs(1), Duration::from_secs(20))).await;
            return Vec::new();
        };
        let messages = self.queue.take(&self.aws, &ask).unwrap_or_default();
        if trip.back().await.is_err() { Vec::new() } else { messages }
    }

    /// Batches that are invoked: E6, E13.
    fn cut(&self, messages: Vec<Message>) -> Vec<Vec<Message>> {
        let by_group = self.queue.queue.is_fifo() && !self.aws.disputes.several_groups;
        let mut batches: Vec<Vec<Message>> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let size = message.body.as_deref().map_or(0, str::len);
            let is_new_group = |last: &Message| by_group && group(last) != group(&message);
            match batches.last_mut() {
                Some(batch) if bytes + size <= MAX_BATCH_BYTES && !batch.last().is_some_and(is_new_group) => {
                    bytes += size;
                    batch.push(message);
                }
                _ => {
                    bytes = size;
                    batches.push(vec![message]);
                }
            }
        }
        batches
    }

    /// E12: one invocation a group at a time; a batch whose visibility ends meanwhile is let go.
    async fn hand_on(&self, batch: Vec<Message>) {
        if !self.queue.queue.is_fifo() {
            return self.invoke(batch).await;
        }
        let let_go_at = self.aws.now() + self.queue.config.visibility;
        let groups: BTreeSet<String> = batch.iter().map(|message| group(message).to_owned()).collect();
        while !self.busy_groups.borrow().is_disjoint(&groups) {
            self.freed.notified().await;
        }
        if self.aws.now() >= let_go_at {
            return;
        }
        self.busy_groups.borrow_mut().extend(groups.iter().cloned());
        self.invoke(batch).await;
        self.busy_groups.borrow_mut().retain(|group| !groups.contains(group));
    }

    async fn invoke(&self, batch: Vec<Message>) {
        let payload = event(&self.queue.queue, &batch);
        let let_go_at = self.aws.now() + self.queue.config.visibility;
        let mut pause = Duration::from_secs(1);
        for _ in 0..=self.aws.disputes.throttle_tries {
            match self.call(&payload, &batch).await {
                // E16.
                Outcome::Throttled if self.aws.now() + pause < let_go_at => {
                    sleep(self.connection.draws.time(pause / 2, pause)).await;
                    pause *= 2;
                }
                Outcome::Throttled => return,
                // E15.
                Outcome::Failed(_) => return self.slow_down(),
                Outcome::Answered(answer) => return self.settle(&answer, &batch).await,
            }
        }
    }

    /// Whatever keeps the call from the function is tried again as a throttle is.
    async fn call(&self, payload: &str, batch: &[Message]) -> Outcome {
        let Ok(trip) = self.connection.go(Operation::Invoke, &self.config.function).await else {
            return Outcome::Throttled;
        };
        let outcome = self.function.run(payload, batch.iter().map(|message| id(message).into()).collect()).await;
        match trip.back().await {
            Ok(()) => outcome,
            Err(_) => Outcome::Failed("the answer was lost".to_owned()),
        }
    }

    /// A2, A3, A5, A6, A7; E14: a delete that fails is not repeated.
    async fn settle(&self, answer: &str, batch: &[Message]) {
        let ids: BTreeSet<String> = batch.iter().map(|message| id(message).to_owned()).collect();
        let failed = if self.config.reports_item_failures { failed_ids(answer, &ids) } else { Some(BTreeSet::new()) };
        let Some(failed) = failed else { return self.slow_down() };
        let most = self.config.max_concurrency.unwrap_or(MAX_CONCURRENCY);
        self.limit.set((self.limit.get() + 1).min(most));
        let is_done = |message: &&Message| !failed.contains(id(message));
        let done: Vec<&str> =
            batch.iter().filter(is_done).filter_map(|message| message.receipt_handle.as_deref()).collect();
        let client = QueueClient { connection: self.connection.clone() };
        for handles in done.chunks(MAX_ENTRIES) {
            client.delete(&self.queue.queue, handles).await.map(|_| ()).unwrap_or_default();
        }
    }

    /// E17.
    fn slow_down(&self) {
        if self.aws.disputes.errors_slow_polling {
            self.limit.set((self.limit.get() / 2).max(1));
        }
    }
}

fn id(message: &Message) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

fn group(message: &Message) -> &str {
    message.attributes.get("MessageGroupId").map(String::as_str).unwrap_or_default()
}
