//! A simulated AWS, for tests of what lives in time: visibility, receives, retries, deadlines, outages.
//!
//! Queues, functions with their event source mappings and schedules, and the idempotency store, in memory, on tokio's
//! paused clock: hours take milliseconds. One seed decides everything, so that what a seed shows it shows again. The
//! rules are those of `AWS-SEMANTICS.md`, by the numbers of its facts; what AWS leaves open ([`Disputes`]) is drawn.
//!
//! | part | what it is |
//! |---|---|
//! | [`Simulation`], [`World`] | how a world begins, and what a test does in it |
//! | [`QueueConfig`], [`FunctionConfig`], [`MappingConfig`] | what is in it |
//! | [`Handler`], [`Host`] | the code under test, and what it has of the world: ports, clock, chance |
//! | [`FaultPlan`] | what goes wrong, as data: rates, outages, and when it ends |
//! | [`Event`], [`What`] | the history, to check promises over |
//! | [`Kill`], [`until_killed`] | death at any await, for code outside Lambda |
//!
//! # Example
//!
//! A function on a queue. Until an hour is over one call in twenty is answered with an error though it was done, and the
//! function's processes die; then all is done, and nothing was lost.
//!
//! ```
//! use std::time::Duration;
//!
//! use sluicegate::{
//!     events,
//!     testing::{FaultPlan, FunctionConfig, Host, MappingConfig, QueueConfig, Rates, Simulation},
//! };
//!
//! async fn handle(host: &Host, event: &str) -> Result<String, String> {
//!     let batch = events::read_batch(event).map_err(|error| error.to_string())?;
//!     for record in batch.iter().flat_map(|batch| &batch.records).flatten() {
//!         let work = host.work(&record.message_id);
//!         host.call("mail").await.map_err(|error| error.to_string())?;
//!         work.succeed();
//!     }
//!     Ok("{}".to_owned())
//! }
//!
//! let rates = Rates { answer_lost: 500, kill: 1_000, ..Rates::default() };
//! let answer_timeout = Some(Duration::from_secs(5));
//! let faults = FaultPlan { rates, until: Duration::from_hours(1), answer_timeout, ..FaultPlan::none() };
//! Simulation::new(7).faults(faults).run(async |world| {
//!     world.queue(QueueConfig::named("jobs-dead"));
//!     let jobs = world.queue(QueueConfig::named("jobs").redriven_to("jobs-dead", 20));
//!     world.function(FunctionConfig::named("worker", Duration::from_secs(30)), |host| {
//!         let host = host.clone();
//!         Box::new(async move |event: &str, _remaining: Duration| handle(&host, event).await)
//!     });
//!     world.mapping(MappingConfig::of("jobs", "worker"));
//!     for _ in 0..30 {
//!         world.send(&jobs, r#"{"job":"mail"}"#).expect("SQS takes it");
//!     }
//!     assert!(world.until_drained(&jobs, Duration::from_hours(2)).await, "{}", world.timeline(None));
//! });
//! ```
//!
//! # A function of yours
//!
//! A handler as [`queue::run`](crate::queue::run) takes it, in the same world; with the feature `lambda`:
//!
#![cfg_attr(feature = "lambda", doc = "```")]
#![cfg_attr(not(feature = "lambda"), doc = "```ignore")]
//! use std::{sync::Arc, time::Duration};
//!
//! use sluicegate::{
//!     runtime::Invocation,
//!     queue::{self, QueueSettings, Record, RecordError, Worker},
//!     testing::{FaultPlan, FunctionConfig, MappingConfig, QueueConfig, Simulation},
//! };
//!
//! async fn register(record: &Record) -> Result<(), RecordError> {
//!     if record.receive_count == Some(1) { Err(RecordError::retry("the registry is busy")) } else { Ok(()) }
//! }
//!
//! Simulation::new(7).faults(FaultPlan::none()).run(async |world| {
//!     let jobs = world.queue(QueueConfig::named("jobs"));
//!     world.function(FunctionConfig::named("worker", Duration::from_secs(30)), |host| {
//!         let (settings, ()) = QueueSettings::with(&|_| None, |_| Some(())).expect("all have defaults");
//!         let (clock, work) = (Arc::new(host.clock()), queue::handler(register));
//!         let worker = Worker::in_world(settings, work, host.queues(), clock, host.random());
//!         Box::new(async move |event: &str, remaining: Duration| {
//!             let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(remaining) };
//!             let answer = worker.handle(event, &invocation).await.map_err(|error| error.to_string())?;
//!             Ok(serde_json::to_string(&answer).unwrap_or_default())
//!         })
//!     });
//!     world.mapping(MappingConfig::of("jobs", "worker"));
//!     world.send(&jobs, "{}").expect("SQS takes it");
//!     assert!(world.until_drained(&jobs, Duration::from_hours(1)).await, "{}", world.timeline(None));
//! });
//! ```

mod clock;
mod disputes;
mod faults;
mod history;
mod host;
mod lambda;
mod seed;
mod service;
mod sqs;
mod store;
mod world;

pub use self::{
    clock::{EPOCH, HostClock},
    disputes::Disputes,
    faults::{Fault, FaultPlan, Operation, Outage, Rates},
    history::{End, Event, Handle, Name, StoreStep, What, Work, timeline},
    host::{Host, WorkGuard},
    lambda::{FunctionClient, FunctionConfig, Handler, Kill, MappingConfig, until_killed},
    seed::Stream,
    sqs::{Counts, Outgoing, QueueClient, QueueConfig, Redrive, Stored},
    store::StoreClient,
    world::{Simulation, World},
};

#[cfg(test)]
mod tests;
