//! Messages that no invocation carries.

use sluicegate::{
    delivery::{
        DeadLetter, DeadLetterQueue, Failure, REASON, RECEIVES, ReceivingQueue, RecordError, SOURCE, TargetFunction,
        call_in_batches, dead_letter,
    },
    events::Record,
};

use crate::{batch::Packed, receiver::Receiver};

impl<Q: ReceivingQueue + DeadLetterQueue, W: TargetFunction> Receiver<'_, Q, W> {
    /// Moves a message to the dead-letter queue, whole and with the reason. What has none, or is not taken there, is given
    /// back.
    pub(crate) async fn dead_letter(&mut self, message: &Packed, reason: &str) {
        let config = self.config();
        tracing::error!(
            record.message_id = message.message_id,
            payload.bytes = message.bytes(),
            reason,
            "message too large to dispatch"
        );
        // Another consumer may have it by now, and gets the same answer.
        let is_ours = message.age(self.run.poller.clock.now()) <= config.known_visibility();
        if !is_ours || !self.is_taken_as_a_dead_letter(message, reason).await {
            self.give_back(std::slice::from_ref(message)).await;
            return;
        }
        self.summary.dead_lettered += 1;
        let attempts = self.run.deadline.attempts(self.run.deadline.settling_ends_at());
        let delete = async |handles: &[&str]| self.run.poller.queue.delete(&config.queue, handles).await;
        let handles = [message.receipt_handle.as_str()];
        if let Some(error) = call_in_batches(&handles, |_| 0, attempts, delete).await.into_iter().flatten().next() {
            tracing::error!(record.message_id = message.message_id, %error, "dead-lettered but not deleted");
            self.summary.failed_calls += 1;
        }
    }

    async fn is_taken_as_a_dead_letter(&mut self, message: &Packed, reason: &str) -> bool {
        let config = self.config();
        let Some(dead_letter_queue) = &config.dead_letter_queue else { return false };
        let Ok(record) = Record::try_from(message.unpacked()) else { return false };
        let error = RecordError::reject(format!("no invocation carries it: {reason}"));
        let mut dead_letter = dead_letter(&record, &config.queue, config.region.as_deref(), &error);
        let mut failure = self.send(dead_letter_queue.url(), &dead_letter).await;
        if matches!(failure, Some(Failure::Refused(_))) {
            for note in [SOURCE, REASON, RECEIVES] {
                dead_letter.attributes.remove(note);
            }
            failure = self.send(dead_letter_queue.url(), &dead_letter).await;
        }
        let Some(error) = failure else { return true };
        tracing::error!(record.message_id = message.message_id, %error, "dead letter not taken");
        self.summary.failed_calls += 1;
        false
    }

    async fn send(&self, url: &str, dead_letter: &DeadLetter<'_>) -> Option<Failure> {
        let mut attempts = self.run.deadline.attempts(self.run.deadline.settling_ends_at());
        // A megabyte takes longer than a delete.
        attempts.each *= 3;
        let send = async |dead_letters: &[DeadLetter<'_>]| self.run.poller.queue.send(url, dead_letters).await;
        call_in_batches(std::slice::from_ref(dead_letter), |_| 0, attempts, send).await.into_iter().flatten().next()
    }
}
