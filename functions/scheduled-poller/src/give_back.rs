//! Messages that the worker was not given, back in the queue.

use std::time::Duration;

use sluicegate::delivery::{
    DeadLetterQueue, MAX_VISIBILITY, ReceivingQueue, RetryPolicy, TargetFunction, VisibilityChange, call_in_batches,
};

use crate::{batch::Packed, receiver::Receiver};

/// What lies between our question and SQS's clock.
const MARGIN: Duration = Duration::from_mins(1);

impl<Q: ReceivingQueue + DeadLetterQueue, W: TargetFunction> Receiver<'_, Q, W> {
    /// Gives messages back, each for a time that grows with its receives: at once, they would come again in this very run,
    /// and go to the dead-letter queue for it. Those that cannot be given back are left to their visibility timeout.
    pub(crate) async fn give_back(&mut self, messages: &[Packed]) {
        let (config, poller) = (self.config(), self.run.poller);
        let now = poller.clock.now();
        let changes: Vec<VisibilityChange<'_>> = messages
            .iter()
            // With a handle whose time is over the message would be opened under its next consumer.
            .filter(|message| message.age(now) <= config.known_visibility())
            .filter_map(|message| {
                let delay = RetryPolicy::default().delay(message.receive_count, poller.random.fraction());
                // Twelve hours are the limit, counted from the receive.
                let longest = MAX_VISIBILITY.saturating_sub(message.age(now) + MARGIN);
                let timeout = Duration::from_secs(delay.min(longest).as_secs());
                (!timeout.is_zero()).then_some(VisibilityChange { receipt_handle: &message.receipt_handle, timeout })
            })
            .collect();
        let attempts = self.run.deadline.attempts(self.run.deadline.settling_ends_at());
        let change = async |batch: &[VisibilityChange<'_>]| poller.queue.change_visibility(&config.queue, batch).await;
        let failures = call_in_batches(&changes, |_| 0, attempts, change).await;
        let not_returned = failures.iter().flatten().count();
        if let Some(error) = failures.into_iter().flatten().next() {
            tracing::warn!(queue.name = %config.queue, messages = not_returned, %error, "messages not given back");
        }
        let returned = changes.len() - not_returned;
        self.summary.returned += returned;
        self.summary.left += messages.len() - returned;
    }
}
