//! A worker for as long as its process runs: on ECS, EC2 or a machine of yours.
//!
//! What becomes of a message is the same engine's to say as in Lambda: back-off, dead letters with their reason, heartbeats,
//! order in a message group. Around it: long polls, as many messages in hand as can be begun, deletes ten to a call, and an
//! end in which what is at work is finished and the rest given back. It runs on one thread, as many handlers side by side as
//! [`Settings::concurrency`] says; work that keeps its thread busy belongs on another (`tokio::task::spawn_blocking`).
//!
#![cfg_attr(feature = "aws-sqs", doc = "```no_run")]
#![cfg_attr(not(feature = "aws-sqs"), doc = "```ignore")]
//! use sluicegate::{
//!     aws::{self, sqs::SqsQueue},
//!     consumer::{Consumer, Settings},
//!     delivery::{Policy, RecordError},
//!     events::{Queue, Record},
//!     settings::environment,
//! };
//! use tokio::signal::unix::{SignalKind, signal};
//!
//! async fn register(record: &Record) -> Result<(), RecordError> {
//!     println!("{} gave {}", record.message_id, record.body);
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let queue = Queue::from_url(&std::env::var("QUEUE_URL")?)?;
//!     let mut terminate = signal(SignalKind::terminate())?;
//!     let sqs = SqsQueue::new(&aws::config(environment));
//!     let consumer = Consumer::new(Settings::of(queue), sqs, Policy::default(), register);
//!     Ok(consumer.run(async || drop(terminate.recv().await)).await?)
//! }
//! ```
//!
//! | what | does |
//! |---|---|
//! | [`Settings`] | how much at once, how long, at what pace, when it ends |
//! | [`Handler`] | what is done with a message: an `async fn` of the record, or a type that is told when to stop |
//! | [`Observer`] | what is said of it: [`Log`] writes the functions' lines |
//! | [`Tally`] | what became of the messages, and how many calls it took |
//!
//! Failed tries are counted in the process; a restart forgets them, and the queue's `maxReceiveCount` remains.

mod error;
mod gathering;
mod handler;
mod lane;
mod observer;
mod run;
mod settings;
mod tally;
mod workforce;

pub use self::{
    error::ConsumerError,
    gathering::Receiving,
    handler::{Handler, HandlerError, Received},
    observer::{Log, Observer},
    run::Consumer,
    settings::Settings,
    tally::Tally,
};

#[cfg(all(test, feature = "testing"))]
mod simulated;
