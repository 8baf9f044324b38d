//! Queues, as `AWS-SEMANTICS.md` §1–§6 has them. Each rule names its fact.
//!
//! Not simulated: fair queues (Q1–Q4), purges, queue deletion and move tasks (M), receive attempt ids (F16), attributes
//! that change (C13, D2), approximate counters (D5), throughput limits (F18), the search window of FIFO queues (P8).

mod client;
mod config;
mod fifo;
mod message;
mod queue;
mod receive;

pub use self::{
    client::QueueClient,
    config::{Outgoing, QueueConfig, Redrive},
    message::Stored,
    queue::Counts,
};
pub(super) use self::{
    message::{ACCOUNT, REGION},
    queue::SimulatedQueue,
    receive::Ask,
};

#[cfg(test)]
mod tests;
