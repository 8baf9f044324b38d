//! What the poller needs of the world.

use std::{future::Future, time::Duration};

use sluicegate::{
    aws::{lambda::LambdaFunction, sqs::SqsQueue},
    delivery::{CallError, SourceQueue},
    events::{Queue, dispatch::Message},
};

/// The queue to drain.
pub trait Receive: SourceQueue {
    /// Up to ten messages, waiting up to `wait` for the first.
    fn receive(&self, queue: &Queue, wait: Duration) -> impl Future<Output = Result<Vec<Message>, CallError>>;
}

/// Who gets the messages.
pub trait Invoke {
    /// Hands one payload over.
    fn invoke(&self, payload: String) -> impl Future<Output = Result<(), CallError>>;
}

impl Receive for SqsQueue {
    async fn receive(&self, queue: &Queue, wait: Duration) -> Result<Vec<Message>, CallError> {
        self.receive(queue, wait).await
    }
}

impl Invoke for LambdaFunction {
    async fn invoke(&self, payload: String) -> Result<(), CallError> {
        self.invoke(payload).await
    }
}
