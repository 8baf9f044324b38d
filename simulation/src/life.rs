//! Lives through a scenario.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use scheduled_poller::Poller;
use serde_json::Value;
use sluicegate::{
    clock::Clock,
    delivery::{Invoke, Receive, ReceivingQueue, TargetFunction},
    events::{Queue, dispatch::Dispatch},
    queue::{QueueSettings, Worker},
    runtime::Invocation,
    testing::{Event, FunctionConfig, Host, MappingConfig, Outgoing, QueueConfig, Simulation, Stored, World, timeline},
};
use tokio::time::Instant;

use crate::{
    job::{Body, PlannedWork, Tried},
    promise::{self, NOT_DELETED, Violation},
    scenario::{DRAINS_IN, HORIZON, Planned, SMALL_LETTER_BYTES, Scenario, Source},
};

/// A scenario with what happened in it.
#[derive(Debug)]
pub struct Lived {
    /// What was decided before.
    pub scenario: Scenario,
    /// All that happened.
    pub history: Vec<Event>,
    /// By the number of its plan, each message's id.
    pub ids: Vec<String>,
    /// What is in the dead-letter queue at the end.
    pub dead: Vec<Stored>,
    /// Whether the queue was empty at the end.
    pub is_drained: bool,
    /// How long it was in the simulated world.
    pub lasted: Duration,
    /// What was promised and not kept.
    pub violations: Vec<Violation>,
}

impl Lived {
    /// What happened, a line an event; of the first message that a promise was broken to, or all.
    #[must_use]
    pub fn timeline(&self, message: Option<&str>) -> String {
        timeline(&self.history, message)
    }
}

/// Lives through a scenario and checks every promise over it.
#[must_use]
pub fn live(scenario: &Scenario) -> Lived {
    let simulation = Simulation::new(scenario.seed).faults(scenario.faults.clone());
    let mut lived = simulation.run(async |world| {
        let (queue, dead) = build(world, scenario);
        let mut ids = Vec::with_capacity(scenario.messages.len());
        for planned in &scenario.messages {
            world.pass(planned.at.saturating_sub(world.now())).await;
            ids.push(world.send(&queue, outgoing(planned, scenario)).unwrap_or_default());
        }
        let limit = scenario.faults_end_at() + DRAINS_IN;
        let is_drained = world.until_drained(&queue, limit).await;
        Lived {
            scenario: scenario.clone(),
            history: world.history(),
            ids,
            dead: world.messages(&dead),
            is_drained,
            lasted: world.now(),
            violations: Vec::new(),
        }
    });
    lived.violations = promise::broken(&lived);
    lived
}

fn outgoing(planned: &Planned, scenario: &Scenario) -> Outgoing {
    let name = planned.effect.map(|effect| effect.to_string()).or(planned.is_blank.then(String::new));
    let mut body = Body { number: planned.number, name, payload: planned.payload, padding: String::new() };
    let text = |body: &Body| serde_json::to_string(body).unwrap_or_default();
    if scenario.letters_fill_their_queue {
        body.padding = "x".repeat(SMALL_LETTER_BYTES - text(&body).len());
    }
    if scenario.source.is_fifo() {
        Outgoing::in_group(&text(&body), &planned.group.to_string(), &planned.deduplication.to_string())
    } else {
        Outgoing::from(text(&body).as_str())
    }
}

/// Queues, functions and what invokes them.
fn build(world: &World, scenario: &Scenario) -> (Queue, Queue) {
    let (name, dead_name) = (scenario.queue_name(), scenario.dead_letter_queue_name());
    let (retention, named) = (Duration::from_hours(24 * 14), QueueConfig::named(dead_name));
    let is_small = scenario.letters_fill_their_queue;
    let max_message_bytes = if is_small { SMALL_LETTER_BYTES } else { named.max_message_bytes };
    let dead = world.queue(QueueConfig { retention, max_message_bytes, ..named });
    let config = QueueConfig { visibility: scenario.visibility, ..QueueConfig::named(name) };
    let queue = world.queue(config.redriven_to(dead_name, scenario.max_receives));
    let plan = Arc::new(scenario.messages.clone());
    let tried: Tried = Arc::new(Mutex::default());
    let settings = worker_settings(scenario, &dead);
    let worker = FunctionConfig {
        retries: if scenario.source.is_dispatched() { 0 } else { 2 },
        max_event_age: Duration::from_mins(3),
        ..FunctionConfig::named("worker", scenario.timeout)
    };
    world.function(worker, move |host| {
        let (queue, ()) = config_of(&settings, |lookup| QueueSettings::with(lookup, |_| Some(())));
        let is_dead = Arc::new(AtomicBool::new(false));
        let work =
            PlannedWork { host: host.clone(), plan: plan.clone(), tried: tried.clone(), is_dead: is_dead.clone() };
        let worker = Worker::in_world(queue, work, host.queues(), Arc::new(host.clock()), host.random());
        let (worker, host) = (worker.with_store(|table| host.store(&table)), host.clone());
        Box::new(async move |event: &str, remaining: Duration| {
            let answer = worker.handle(event, &invocation(remaining)).await.map_err(|error| error.to_string());
            if is_dead.load(Ordering::Relaxed) {
                // Lambda finds out at the time-out.
                std::future::pending::<()>().await;
            }
            let answer = answer?;
            let answer = serde_json::to_value(answer).unwrap_or_default();
            promise::check_answer(event, &answer).unwrap_or_else(|problem| host.note(problem));
            for id in ids_of(&answer, "not_deleted") {
                host.note(format!("{NOT_DELETED}{id}"));
            }
            Ok(answer.to_string())
        })
    });
    match scenario.source {
        Source::Mapped | Source::Ordered => world.mapping(MappingConfig {
            batch_size: scenario.batch_size,
            max_concurrency: Some(scenario.max_concurrency),
            ..MappingConfig::of(name, "worker")
        }),
        Source::Polled => add_poller(world, scenario, &queue, &dead),
        Source::Handed => add_hand(world, scenario, &queue),
    }
    (queue, dead)
}

/// The poller, invoked every minute; its time-out is a period and the worker's.
fn add_poller(world: &World, scenario: &Scenario, queue: &Queue, dead: &Queue) {
    let settings = poller_settings(scenario, queue, dead);
    let timeout = Duration::from_mins(1) + scenario.timeout;
    world.function(FunctionConfig { retries: 0, ..FunctionConfig::named("poller", timeout) }, move |host| {
        let config = config_of(&settings, scheduled_poller::Config::from_lookup);
        let poller = Poller::new(config, host.queues(), host.function("worker"), Arc::new(host.clock()))
            .with_random(host.random());
        let host: Host = host.clone();
        Box::new(async move |event: &str, remaining: Duration| {
            let summary = poller.handle(event, &invocation(remaining)).await.map_err(|error| error.to_string())?;
            let summary = serde_json::to_value(summary).unwrap_or_default();
            promise::check_summary(&summary).unwrap_or_else(|problem| host.note(problem));
            Ok(summary.to_string())
        })
    });
    world.schedule("poller", Duration::from_mins(1), "{}");
}

/// A function of one's own that receives from a FIFO queue and dispatches what it gets, one batch at a time.
fn add_hand(world: &World, scenario: &Scenario, queue: &Queue) {
    let (queue, worker_timeout, max_messages) = (queue.clone(), scenario.timeout, scenario.batch_size);
    let visibility = scenario.visibility;
    let config =
        FunctionConfig { retries: 0, ..FunctionConfig::named("hand", Duration::from_mins(1) + worker_timeout) };
    world.function(config, move |host| {
        let (host, queue) = (host.clone(), queue.clone());
        Box::new(async move |_event: &str, remaining: Duration| {
            let ends_at = Instant::now() + remaining.saturating_sub(worker_timeout + Duration::from_secs(35));
            while Instant::now() < ends_at {
                let received_at = host.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let receive = Receive { max_messages, wait: Duration::from_secs(5), ..Receive::default() };
                let messages = host.queues().receive(&queue, &receive).await.map_err(|error| error.to_string())?;
                if messages.is_empty() {
                    break;
                }
                let dispatch = Dispatch {
                    queue_url: queue.url(),
                    messages: &messages,
                    received_at: u64::try_from(received_at.as_millis()).ok(),
                    visibility_seconds: Some(visibility.as_secs()),
                };
                let payload = serde_json::to_string(&dispatch).unwrap_or_default();
                let invoked = host.function("worker").invoke(&payload, Invoke::RequestResponse).await;
                invoked.map_err(|error| error.to_string())?;
            }
            Ok("{}".to_owned())
        })
    });
    world.schedule("hand", Duration::from_mins(1), "{}");
}

fn invocation(remaining: Duration) -> Invocation {
    Invocation { request_id: String::new(), remaining: Some(remaining) }
}

type Settings = Vec<(&'static str, String)>;

fn worker_settings(scenario: &Scenario, dead: &Queue) -> Settings {
    let seconds = |time: Duration| time.as_secs().to_string();
    let mut settings = vec![
        ("BATCH_CONCURRENCY", scenario.concurrency.to_string()),
        ("MAX_TRIES", scenario.max_tries.to_string()),
        ("HORIZON_SECONDS", seconds(HORIZON)),
        ("MAX_RECEIVES", scenario.max_receives.to_string()),
        ("RETENTION_SECONDS", "345600".to_owned()),
        ("VISIBILITY_SECONDS", seconds(scenario.visibility)),
        ("DEAD_LETTER_QUEUES", format!("{}={}", scenario.queue_name(), dead.url())),
        ("AWS_LAMBDA_FUNCTION_NAME", "worker".to_owned()),
    ];
    settings.extend(scenario.has_store.then(|| ("IDEMPOTENCY_TABLE", "table".to_owned())));
    settings
}

fn poller_settings(scenario: &Scenario, queue: &Queue, dead: &Queue) -> Settings {
    let invocation_type = if scenario.waits_for_answer { "RequestResponse" } else { "Event" };
    vec![
        ("QUEUE_URL", queue.url().to_owned()),
        ("WORKER_FUNCTION", "worker".to_owned()),
        ("INVOCATION_TYPE", invocation_type.to_owned()),
        ("WORKER_CONCURRENCY", scenario.concurrency.to_string()),
        ("WORKER_TIMEOUT_SECONDS", scenario.timeout.as_secs().to_string()),
        ("WORKER_INSTANCES", scenario.max_concurrency.to_string()),
        ("LONGEST_JOB_SECONDS", scenario.longest_job.as_secs().max(1).to_string()),
        ("VISIBILITY_SECONDS", scenario.visibility.as_secs().to_string()),
        ("DEAD_LETTER_QUEUE", dead.url().to_owned()),
    ]
}

/// A function's settings, read as it reads them.
#[allow(clippy::panic, reason = "a scenario with settings that the function refuses is a mistake here")]
fn config_of<C, E: std::fmt::Display>(
    settings: &Settings,
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<C, E>,
) -> C {
    let lookup = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    read(&lookup).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What an answer says of messages.
pub(crate) fn ids_of(value: &Value, list: &str) -> Vec<String> {
    let items = value[list].as_array().into_iter().flatten();
    items.filter_map(|item| Some(item.as_str().or_else(|| item["itemIdentifier"].as_str())?.to_owned())).collect()
}
