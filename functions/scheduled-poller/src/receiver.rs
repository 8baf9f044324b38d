//! One receiver: it receives what the worker can finish, hands it over, waits for the answer, and goes on.

use std::{collections::VecDeque, time::Duration};

use futures::channel::oneshot;
use sluicegate::delivery::{
    CallError, DeadLetterQueue, Invoke, InvokeError, MAX_ENTRIES, MAX_WAIT, Receive, ReceivingQueue, TargetFunction,
};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::{
    batch::{ALWAYS_CARRIED, Batch, MAX_EVENT_BYTES, MAX_REQUEST_BYTES, Packed, empty_bytes, pack},
    config::Config,
    run::{MIN_WAIT, Run},
    summary::Summary,
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Failures in a row after which a receiver leaves the rest to the next run.
const MAX_FAILURES: u32 = 3;
/// A receive that has no answer so long after its wait has lost its connection.
const LATE_RECEIVE: Duration = Duration::from_secs(5);
/// So long after the worker's time-out no answer comes any more: it started, and the call was tried again, meanwhile.
const LATE_ANSWER: Duration = Duration::from_secs(15);
/// Lambda takes an event, a megabyte at the most, in less than this.
const EVENT_CALL: Duration = Duration::from_secs(10);

pub(crate) struct Receiver<'r, Q, W> {
    pub(crate) run: &'r Run<'r, Q, W>,
    pub(crate) summary: Summary,
    /// Tells the other receivers that there is enough for them.
    busy: Option<oneshot::Sender<()>>,
    /// Rounds in a row in which nothing worked.
    failures: u32,
    /// Receives no more: the worker is throttled, or the queue refuses.
    has_ended: bool,
}

/// What an invocation says of its messages.
enum Answer {
    Taken,
    GiveBack,
    PayloadRefused(String),
    Leave,
}

impl<'r, Q: ReceivingQueue + DeadLetterQueue, W: TargetFunction> Receiver<'r, Q, W> {
    pub(crate) fn new(run: &'r Run<'r, Q, W>, busy: Option<oneshot::Sender<()>>) -> Self {
        Self { run, summary: Summary::default(), busy, failures: 0, has_ended: false }
    }

    pub(crate) fn config(&self) -> &'r Config {
        &self.run.poller.config
    }

    /// Goes on until the queue is drained, the time is over or the worker takes no more.
    pub(crate) async fn work(mut self) -> Summary {
        while self.goes_on() && self.run.goes_on() {
            if !self.run.take_batch() {
                break;
            }
            let messages = self.fill().await;
            if messages.is_empty() {
                self.run.put_batch_back();
            } else {
                self.hand_over(messages).await;
            }
            if self.failures > 0 && self.goes_on() {
                let pause = FIRST_PAUSE * 2_u32.pow(self.failures - 1);
                sleep_until((Instant::now() + pause).min(self.run.receiving_ends_at())).await;
            }
        }
        self.summary
    }

    fn goes_on(&self) -> bool {
        !self.has_ended && self.failures < MAX_FAILURES
    }

    /// Receives what one invocation may carry. Messages in hand do not wait for a long poll: the queue may have had just
    /// those.
    async fn fill(&mut self) -> Vec<Packed> {
        let size = self.config().batch_size();
        let mut messages: Vec<Packed> = Vec::new();
        loop {
            let max_messages = (size - messages.len()).min(MAX_ENTRIES);
            let longest = if messages.is_empty() { MAX_WAIT } else { MIN_WAIT };
            let Some(wait) = self.run.wait(longest) else { break };
            let Ok(got) = self.receive(max_messages, wait, &mut messages).await else { break };
            if got < max_messages {
                break;
            }
            if let Some(busy) = self.busy.take() {
                // Nobody listens where there is one receiver.
                let _ = busy.send(());
            }
            let bytes: usize = messages.iter().map(Packed::bytes).sum();
            if messages.len() >= size || bytes >= self.config().payload_limit_bytes || self.run.is_refused() {
                break;
            }
        }
        messages
    }

    /// Receives once, and says how many messages came.
    async fn receive(
        &mut self,
        max_messages: usize,
        wait: Duration,
        messages: &mut Vec<Packed>,
    ) -> Result<usize, CallError> {
        let config = self.config();
        self.summary.receives += 1;
        let received_at = self.run.poller.clock.now();
        let receive = Receive { max_messages, wait, visibility: config.visibility };
        let until = (Instant::now() + wait + LATE_RECEIVE).min(self.run.receiving_ends_at());
        let answer = timeout_at(until, self.run.poller.queue.receive(&config.queue, &receive)).await;
        let received = answer.unwrap_or_else(|_elapsed| Err(CallError::unanswered())).inspect_err(|error| {
            tracing::warn!(queue.name = %config.queue, %error, "receive failed");
            self.summary.failed_calls += 1;
            self.failures += 1;
            self.has_ended |= !error.is_transient;
        })?;
        let count = received.len();
        self.summary.received += count;
        if count == 0 && messages.is_empty() {
            self.failures = 0;
            match wait {
                MAX_WAIT => self.run.drained(),
                // Shorter, because the time is nearly over.
                _ => self.has_ended = true,
            }
        }
        for message in received {
            match Packed::new(&message, received_at) {
                Ok(packed) => messages.push(packed),
                Err(message_id) => {
                    tracing::error!(record.message_id = message_id, "message without an id or a receipt handle");
                    self.summary.malformed += 1;
                }
            }
        }
        Ok(count)
    }

    /// Hands messages to the worker, in as many invocations as their bytes need, one after the other.
    async fn hand_over(&mut self, messages: Vec<Packed>) {
        let config = self.config();
        let max_bytes = config.payload_limit_bytes.saturating_sub(empty_bytes(&config.queue));
        let mut open: VecDeque<Batch> = pack(messages, config.invocation_type, max_bytes).into();
        // One batch was taken before its messages were received.
        let mut may_send = true;
        while let Some(mut batch) = open.pop_front() {
            may_send = may_send || self.run.take_batch();
            if !may_send || !self.goes_on() || self.run.is_refused() {
                self.give_back(&batch.messages).await;
                continue;
            }
            match self.invoke(&mut batch).await {
                Answer::Taken => {
                    self.summary.dispatched += batch.len();
                    self.summary.invocations += 1;
                    self.failures = 0;
                    may_send = false;
                }
                Answer::GiveBack => self.give_back(&batch.messages).await,
                Answer::Leave => {
                    self.summary.left += batch.len();
                    may_send = false;
                }
                Answer::PayloadRefused(_) if batch.len() > 1 => {
                    batch.singly().rev().for_each(|single| open.push_front(single));
                }
                Answer::PayloadRefused(_) if batch.invoke == Invoke::Event => {
                    batch.invoke = Invoke::RequestResponse;
                    open.push_front(batch);
                }
                // Not for its size: whatever it is, the message was never tried.
                Answer::PayloadRefused(_) if batch.messages.iter().all(|message| message.bytes() <= ALWAYS_CARRIED) => {
                    self.summary.failed_calls += 1;
                    self.failures += 1;
                    self.give_back(&batch.messages).await;
                }
                Answer::PayloadRefused(reason) => {
                    for message in &batch.messages {
                        self.dead_letter(message, &reason).await;
                    }
                }
            }
        }
        if may_send {
            self.run.put_batch_back();
        }
    }

    /// Makes one invocation, unless the worker could not finish, or the messages are another consumer's by then.
    async fn invoke(&mut self, batch: &mut Batch) -> Answer {
        let config = self.config();
        let Some(longest) = self.time_for(batch.invoke) else { return Answer::GiveBack };
        let age = self.run.poller.clock.now().duration_since(batch.received_at()).unwrap_or_default();
        if config.visibility.is_some_and(|visibility| age > visibility) {
            tracing::warn!(messages = batch.len(), "messages waited longer than they are invisible");
            return Answer::Leave;
        }
        let payload = batch.payload(&config.queue, config.visibility);
        let limit = match batch.invoke {
            Invoke::Event => MAX_EVENT_BYTES,
            Invoke::RequestResponse => MAX_REQUEST_BYTES,
        };
        if payload.len() > limit {
            return Answer::PayloadRefused(format!("{} bytes are more than an invocation carries", payload.len()));
        }
        let answer = timeout(longest, self.run.poller.worker.invoke(&payload, batch.invoke)).await;
        let unanswered = || InvokeError::Unanswered(CallError::unanswered().message);
        let Err(error) = answer.unwrap_or_else(|_elapsed| Err(unanswered())) else { return Answer::Taken };
        tracing::warn!(
            worker = %config.worker_function,
            messages = batch.len(),
            payload.bytes = payload.len(),
            %error,
            "invocation of the worker failed"
        );
        self.judge(error)
    }

    /// What a failed invocation means for the receiver and for the messages.
    fn judge(&mut self, error: InvokeError) -> Answer {
        let answer = match error {
            InvokeError::PayloadRefused(reason) => return Answer::PayloadRefused(reason),
            InvokeError::Refused(_) => {
                self.run.refused();
                Answer::GiveBack
            }
            InvokeError::Throttled(_) => {
                self.has_ended = true;
                Answer::GiveBack
            }
            InvokeError::Failed(_) | InvokeError::Unanswered(_) => Answer::Leave,
        };
        self.summary.failed_calls += 1;
        self.failures += 1;
        answer
    }

    /// How long an invocation that begins now may take. `None` when the worker might not finish.
    fn time_for(&self, invoke: Invoke) -> Option<Duration> {
        let left = self.run.deadline.work_ends_at().saturating_duration_since(Instant::now());
        match invoke {
            Invoke::Event => Some(left.min(EVENT_CALL)),
            Invoke::RequestResponse => {
                let longest = self.config().worker_timeout;
                (left >= longest).then(|| left.min(longest + LATE_ANSWER))
            }
        }
    }
}
