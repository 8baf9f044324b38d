//! Functions, and what invokes them, as `AWS-SEMANTICS.md` §8–§10 has them. Each rule names its fact.
//!
//! Not simulated: filters (E19), provisioned pollers (E11), loops (E22), metrics (E23), mappings that are switched off
//! (E20), several invocations at once in a process (L15), durable functions (L16), shutdown signals (L13). A process is
//! not frozen between invocations (L14): tasks it leaves behind run on until it dies.

mod answer;
mod client;
mod event;
mod event_queue;
mod function;
mod kill;
mod mapping;
mod schedule;

use std::{future::Future, pin::Pin, time::Duration};

use tokio::sync::oneshot;

pub use self::{
    client::FunctionClient,
    function::FunctionConfig,
    kill::{Kill, until_killed},
    mapping::MappingConfig,
};
pub(super) use self::{function::Function, mapping::Mapping, schedule::run_schedule};

/// A function's code, with what it holds in memory between invocations. Made anew for each process.
pub trait Handler {
    /// Handles one event: answers with JSON, or with the text of an error. `remaining` is the time to the time-out.
    fn handle<'a>(
        &'a self,
        event: &'a str,
        remaining: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + 'a>>;
}

/// An asynchronous closure is a handler.
impl<F: AsyncFn(&str, Duration) -> Result<String, String>> Handler for F {
    fn handle<'a>(
        &'a self,
        event: &'a str,
        remaining: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + 'a>> {
        Box::pin(async move { self(event, remaining).await })
    }
}

/// What became of an invocation, for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The answer's JSON.
    Answered(String),
    /// A function error: its own, a time-out, a process that died.
    Failed(String),
    /// It did not run.
    Throttled,
}

/// A call that reached a function's inbox.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) payload: String,
    /// Where the outcome goes; an asynchronous event has no such place.
    pub(super) answer: Option<oneshot::Sender<Outcome>>,
}

#[cfg(test)]
mod tests;
