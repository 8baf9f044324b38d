//! One run of the poller: receive, pack, invoke, until the queue is drained or the time is over.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use serde::Serialize;
use sluicegate::{
    aws::lambda::Invoke as InvocationType,
    delivery::{CallError, Deadline, hand_back},
    events::{Queue, dispatch::Message},
    telemetry::Metrics,
};
use tokio::time::{sleep, timeout_at};

use crate::{
    config::Config,
    parcel::{MAX_EVENT_BYTES, MAX_REQUEST_BYTES, Packed, Parcel},
    port::{Invoke, Receive},
};

/// The longest that SQS lets a receive wait.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// Less than this is no long poll: SQS counts in seconds.
const MIN_WAIT: Duration = Duration::from_secs(1);
const FULL_RECEIVE: usize = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Failures in a row after which a receiver leaves the rest to the next run.
const MAX_FAILURES: u32 = 3;

/// What a run did. The three request counts are what the bill is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages received.
    pub received: usize,
    /// Messages handed to the worker.
    pub dispatched: usize,
    /// Messages handed back to the queue because the worker could not be called.
    pub returned: usize,
    /// Messages left to their visibility timeout because the worker did not say whether it has them.
    pub left: usize,
    /// Receive calls.
    pub receives: usize,
    /// Invocations of the worker that were taken.
    pub invocations: usize,
    /// Calls that failed, receives and invocations.
    pub failed_calls: usize,
    /// Whether a full long poll found nothing.
    pub drained: bool,
}

impl Summary {
    /// Requests by messages is what a message costs. Calls that hand messages back are not counted: they are few.
    pub(crate) fn metrics(&self, queue: &Queue) -> Metrics {
        Metrics::of("queue", queue.name())
            .count("Requests", self.receives + self.invocations)
            .count("MessagesReceived", self.received)
            .count("MessagesDispatched", self.dispatched)
            .count("MessagesReturned", self.returned)
            .count("MessagesLeft", self.left)
            .count("FailedCalls", self.failed_calls)
    }
}

pub(crate) struct Run<'a, Q, W> {
    pub(crate) config: &'a Config,
    pub(crate) queue: &'a Q,
    pub(crate) worker: &'a W,
    pub(crate) deadline: Deadline,
    summary: RefCell<Summary>,
    drained: Cell<bool>,
}

impl<'a, Q: Receive, W: Invoke> Run<'a, Q, W> {
    pub(crate) fn new(config: &'a Config, queue: &'a Q, worker: &'a W, deadline: Deadline) -> Self {
        Self { config, queue, worker, deadline, summary: RefCell::default(), drained: Cell::new(false) }
    }

    /// Drains the queue. One receiver asks first: only when it finds a full hand of messages do the others start, so
    /// that an empty queue costs one request a run.
    pub(crate) async fn drain(self) -> Summary {
        let mut parcel = Parcel::default();
        let first = self.receive(MAX_WAIT).await;
        let is_busy = first.as_ref().is_ok_and(|messages| messages.len() >= FULL_RECEIVE);
        let taken = match first {
            Ok(messages) => self.take(&mut parcel, messages).await,
            Err(()) => false,
        };
        let failures = u32::from(!taken);
        let others = (1..self.config.receivers).filter(|_| is_busy).map(|_| self.receiver(Parcel::default(), 0));
        futures::future::join(self.receiver(parcel, failures), futures::future::join_all(others)).await;
        let mut summary = self.summary.into_inner();
        summary.drained = self.drained.get();
        summary
    }

    async fn receiver(&self, mut parcel: Parcel, mut failures: u32) {
        while !self.drained.get() && failures < MAX_FAILURES && self.wait(MAX_WAIT).is_some() {
            if failures > 0 {
                sleep((FIRST_PAUSE * 2_u32.pow(failures - 1)).min(self.deadline.budget())).await;
            }
            // Messages in hand do not wait for a long poll: the queue may have had just those.
            let longest = if parcel.len() > 0 { MIN_WAIT } else { MAX_WAIT };
            let taken = match self.receive(longest).await {
                Ok(messages) => self.take(&mut parcel, messages).await,
                Err(()) => false,
            };
            failures = if taken { 0 } else { failures + 1 };
        }
        self.dispatch(parcel).await;
    }

    /// How long the next receive may wait; `None` when too little time is left for one.
    fn wait(&self, longest: Duration) -> Option<Duration> {
        Some(self.deadline.budget().min(longest)).filter(|wait| *wait >= MIN_WAIT)
    }

    async fn receive(&self, longest: Duration) -> Result<Vec<Message>, ()> {
        let Some(wait) = self.wait(longest) else { return Ok(Vec::new()) };
        self.summary.borrow_mut().receives += 1;
        let receive = self.queue.receive(&self.config.queue, wait);
        let answer = timeout_at(self.deadline.stop_at(), receive).await;
        match answer.unwrap_or_else(|_elapsed| Err(CallError::unanswered())) {
            Ok(messages) => {
                self.summary.borrow_mut().received += messages.len();
                if messages.is_empty() && wait == MAX_WAIT {
                    self.drained.set(true);
                }
                Ok(messages)
            }
            Err(error) => {
                tracing::warn!(queue.name = %self.config.queue, %error, "receive failed");
                self.summary.borrow_mut().failed_calls += 1;
                Err(())
            }
        }
    }

    /// Packs messages, and sends a parcel off when it is full or when the queue gave less than it could: what is here
    /// does not wait for what may come. Whether every invocation was taken.
    async fn take(&self, parcel: &mut Parcel, messages: Vec<Message>) -> bool {
        let is_full_receive = messages.len() >= FULL_RECEIVE;
        let payload_limit = self.config.payload_limit_bytes.saturating_sub(Parcel::empty_bytes(&self.config.queue));
        let mut all_taken = true;
        for message in messages {
            let Some(packed) = Packed::new(&message).filter(|packed| self.fits_alone(packed, &message)) else {
                continue;
            };
            if !parcel.has_room_for(&packed, self.config.batch_size, payload_limit) {
                all_taken &= self.dispatch(std::mem::take(parcel)).await;
            }
            parcel.add(packed);
        }
        if !is_full_receive || parcel.len() >= self.config.batch_size {
            all_taken &= self.dispatch(std::mem::take(parcel)).await;
        }
        all_taken
    }

    /// A message that no invocation can carry stays in the queue, and its redrive policy takes it to the dead-letter
    /// queue whole.
    fn fits_alone(&self, packed: &Packed, message: &Message) -> bool {
        let limit = match self.config.invocation_type {
            InvocationType::Event => MAX_EVENT_BYTES,
            InvocationType::RequestResponse => MAX_REQUEST_BYTES,
        };
        let fits = packed.bytes() + Parcel::empty_bytes(&self.config.queue) <= limit;
        if !fits {
            tracing::error!(
                record.message_id = message.message_id,
                payload.bytes = packed.bytes(),
                "message too large to dispatch"
            );
        }
        fits
    }

    /// Hands a parcel to the worker, or its messages back to the queue. Whether the worker took it.
    async fn dispatch(&self, parcel: Parcel) -> bool {
        if parcel.len() == 0 {
            return true;
        }
        let invocation = self.worker.invoke(parcel.payload(&self.config.queue));
        let Ok(answer) = timeout_at(self.deadline.stop_at(), invocation).await else {
            self.leave(&parcel);
            return false;
        };
        match answer {
            Ok(()) => {
                let mut summary = self.summary.borrow_mut();
                summary.invocations += 1;
                summary.dispatched += parcel.len();
                true
            }
            Err(error) => {
                tracing::warn!(
                    worker = %self.config.worker_function,
                    messages = parcel.len(),
                    %error,
                    "invocation of the worker failed"
                );
                hand_back(self.queue, &self.config.queue, &parcel.handles(), self.deadline.calls_end_at()).await;
                let mut summary = self.summary.borrow_mut();
                summary.failed_calls += 1;
                summary.returned += parcel.len();
                false
            }
        }
    }

    /// The worker did not answer in time, and may well be at work: handed back, its messages would be worked on twice.
    /// They come back when their visibility timeout ends, unless the worker deletes them.
    fn leave(&self, parcel: &Parcel) {
        tracing::warn!(
            worker = %self.config.worker_function,
            messages = parcel.len(),
            "worker not answering: its messages are left to the visibility timeout"
        );
        let mut summary = self.summary.borrow_mut();
        summary.failed_calls += 1;
        summary.left += parcel.len();
    }
}

#[cfg(test)]
mod tests;
