//! A worker for those who keep their own `lambda_runtime::run`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use lambda_runtime::{LambdaEvent, tower};
use serde::Serialize;

use super::worker::{Answer, Worker};
use crate::{
    delivery::{DeadLetterQueue, SourceQueue, Work},
    idempotency::IdempotencyStore,
    runtime::{Invocation, InvocationError, logged},
};

/// A worker as a `tower` service over any type of event that writes itself as JSON: `aws_lambda_events`' `SqsEvent`, a
/// `serde_json::Value`, or a `Box<RawValue>`, which is read only once.
pub struct Service<W, P, S>(Arc<Worker<W, P, S>>);

impl<W, P, S> Clone for Service<W, P, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W, P, S> Worker<W, P, S> {
    /// As a service: `lambda_runtime::run(worker.service())`.
    ///
    /// ```no_run
    /// # use lambda_runtime::Error;
    /// # use serde_json::{Value, value::RawValue};
    /// # use sluicegate::queue::{self, Json, QueueSettings, RecordError, Worker};
    /// # use sluicegate::{aws::{self, sqs::SqsQueue}, settings::{Settings, environment}};
    /// # async fn register(_: Json<Value>) -> Result<(), RecordError> { Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let mut settings = Settings::new(&environment);
    /// let queue = QueueSettings::read(&mut settings);
    /// let queue = settings.finish(queue)?;
    /// let worker = Worker::new(queue, queue::handler(register), SqsQueue::new(&aws::config(environment)));
    /// lambda_runtime::run::<Box<RawValue>, _, _, _, _, _, _>(worker.service()).await
    /// # }
    /// ```
    pub fn service(self) -> Service<W, P, S> {
        Service(Arc::new(self))
    }
}

impl<E, W, P, S> tower::Service<LambdaEvent<E>> for Service<W, P, S>
where
    E: Serialize + 'static,
    W: Work + 'static,
    P: SourceQueue + DeadLetterQueue + 'static,
    S: IdempotencyStore + 'static,
{
    type Response = Answer;
    type Error = InvocationError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, InvocationError>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), InvocationError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<E>) -> Self::Future {
        let worker = Arc::clone(&self.0);
        Box::pin(logged(async move {
            let json = serde_json::to_string(&event.payload)
                .map_err(|error| InvocationError::because("UnreadableEvent", &error))?;
            worker.handle(&json, &Invocation::from(&event.context)).await
        }))
    }
}
