//! Telling the queue: deletes, delays and dead letters, many in a call.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, channel::oneshot, stream::FuturesUnordered};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    batch_call::call_in_batches,
    dead_letter,
    in_flight::InFlight,
    port::{DeadLetter, DeadLetterQueue, Failure, MAX_ENTRIES, SourceQueue, VisibilityChange},
    report::Deletion,
};
use crate::{
    deadline::{Attempts, Deadline},
    events::Queue,
};

/// How long the first entry of a call waits for others.
const LINGER: Duration = Duration::from_secs(2);
/// A dead letter may be a megabyte: an attempt at sending it takes longer than one at a delete.
const LETTER_ATTEMPT: u32 = 3;

/// Tells the queue what became of messages while others are worked on.
///
/// A kind of call goes out when ten entries wait for it, when the oldest has waited two seconds, or when nothing is at
/// work that could bring more. No kind waits for another.
pub(crate) struct Settler<'r, P> {
    port: &'r P,
    queue: &'r Queue,
    dead_letter_url: Option<&'r str>,
    deadline: Deadline,
    /// Messages that are at work, or about to be.
    at_work: AtomicUsize,
    deletes: Gathering<&'r str>,
    changes: Gathering<VisibilityChange<'r>>,
    dead_letters: Gathering<DeadLetter<'r>>,
}

/// One message at work: as long as there is one, calls wait for company.
pub(crate) struct AtWork<'s, 'r, P>(&'s Settler<'r, P>);

impl<P> Drop for AtWork<'_, '_, P> {
    fn drop(&mut self) {
        if self.0.at_work.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.hurry();
        }
    }
}

impl<'r, P> Settler<'r, P> {
    pub(crate) fn new(port: &'r P, queue: &'r Queue, dead_letter_url: Option<&'r str>, deadline: Deadline) -> Self {
        Self {
            port,
            queue,
            dead_letter_url,
            deadline,
            at_work: AtomicUsize::new(0),
            deletes: Gathering::default(),
            changes: Gathering::default(),
            dead_letters: Gathering::default(),
        }
    }

    pub(crate) fn begin(&self) -> AtWork<'_, 'r, P> {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self)
    }

    fn hurry(&self) {
        self.deletes.changed.notify_one();
        self.changes.changed.notify_one();
        self.dead_letters.changed.notify_one();
    }

    fn is_idle(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) == 0
    }

    fn attempts(&self) -> Attempts {
        self.deadline.attempts(self.deadline.settling_ends_at())
    }
}

impl<'r, P: SourceQueue + DeadLetterQueue> Settler<'r, P> {
    /// Makes the calls. Never ends by itself.
    pub(crate) async fn run(&self) {
        let deletes = self.deletes.run(
            || self.is_idle(),
            async |handles: Vec<&str>| {
                let delete = async |batch: &[&str]| self.port.delete(self.queue, batch).await;
                call_in_batches(&handles, |_| 0, self.attempts(), delete).await
            },
        );
        let changes = self.changes.run(
            || self.is_idle(),
            async |changes: Vec<VisibilityChange<'_>>| {
                let change =
                    async |batch: &[VisibilityChange<'_>]| self.port.change_visibility(self.queue, batch).await;
                call_in_batches(&changes, |_| 0, self.attempts(), change).await
            },
        );
        let dead_letters = self.dead_letters.run(
            || self.is_idle(),
            async |dead_letters: Vec<DeadLetter<'_>>| {
                let url = self.dead_letter_url.unwrap_or_default();
                let attempts = self.attempts();
                let attempts = Attempts { each: attempts.each * LETTER_ATTEMPT, ..attempts };
                let send = async |batch: &[DeadLetter<'_>]| self.port.send(url, batch).await;
                call_in_batches(&dead_letters, dead_letter::bytes, attempts, send).await
            },
        );
        futures::future::join3(deletes, changes, dead_letters).await;
    }

    /// Deletes a message, and says how that went.
    pub(crate) async fn delete(&self, message: &'r InFlight) -> Deletion {
        let Some(handle) = message.receipt_handle() else { return Deletion::Failed };
        let is_late = message.handle_is_over();
        let deletion = match self.deletes.add(handle).await {
            None if is_late => Deletion::Late,
            None => Deletion::Deleted,
            // Some services refuse a second delete, which AWS answers with success: the message is gone all the same.
            // A FIFO queue refuses a handle that ran out, and then the message is still there.
            Some(Failure::HandleExpired(_)) if !self.queue.is_fifo() => Deletion::Late,
            Some(failure) => {
                tracing::error!(record.message_id = message.message_id(), error = %failure, "processed but not deleted");
                Deletion::Failed
            }
        };
        message.deletion(deletion);
        deletion
    }

    /// Keeps a message away for so long: whole seconds, from now on. A message whose handle's time is over may be in
    /// another consumer's hands, and is left alone.
    pub(crate) async fn delay(&self, message: &'r InFlight, delay: Duration) {
        let Some(receipt_handle) = message.receipt_handle() else { return };
        // An event that does not say its queue: nobody can be told.
        if message.handle_is_over() || self.queue.url().is_empty() {
            return;
        }
        message.leave_to_queue();
        // SQS refuses what is beyond twelve hours from the receive; it does not clip it.
        let left = message.times().limit_at.saturating_duration_since(Instant::now());
        let timeout = delay.min(Duration::from_secs(left.as_secs()));
        match self.changes.add(VisibilityChange { receipt_handle, timeout }).await {
            None => message.stays_away_for(timeout),
            // The message comes back all the same, when its visibility timeout ends.
            Some(failure) => {
                tracing::warn!(record.message_id = message.message_id(), error = %failure, "delay not set");
            }
        }
    }

    /// Sends a dead letter; the problem where it was not taken. A dead letter that is refused with its notes goes without.
    pub(crate) async fn send(&self, dead_letter: DeadLetter<'r>, notes: &[&str]) -> Option<Failure> {
        if self.dead_letter_url.is_none() {
            return Some(Failure::Refused("no dead-letter queue is known for this queue".to_owned()));
        }
        let bare = dead_letter::without_notes(&dead_letter, notes);
        match self.dead_letters.add(dead_letter).await {
            Some(Failure::Refused(why)) => match bare {
                None => Some(Failure::Refused(why)),
                Some(bare) => {
                    tracing::warn!(
                        record.message_id = bare.message_id,
                        error = why,
                        "dead letter refused with its notes"
                    );
                    self.dead_letters.add(bare).await
                }
            },
            answer => answer,
        }
    }
}

/// Entries that wait for a call.
struct Gathering<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Notify,
}

struct Waiting<T> {
    entries: VecDeque<(T, oneshot::Sender<Option<Failure>>)>,
    /// When the oldest came.
    since: Option<Instant>,
}

impl<T> Default for Gathering<T> {
    fn default() -> Self {
        Self { waiting: Mutex::new(Waiting { entries: VecDeque::new(), since: None }), changed: Notify::new() }
    }
}

impl<T> Gathering<T> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry and waits until it was called; its failure, if any.
    async fn add(&self, entry: T) -> Option<Failure> {
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            waiting.entries.push_back((entry, sender));
            waiting.since.get_or_insert_with(Instant::now);
        }
        self.changed.notify_one();
        answer.await.unwrap_or_else(|_closed| Some(Failure::Transient("not called".to_owned())))
    }

    async fn run(&self, is_idle: impl Fn() -> bool, call: impl AsyncFn(Vec<T>) -> Vec<Option<Failure>>) {
        let mut calls = FuturesUnordered::new();
        loop {
            while let Some(batch) = self.due(&is_idle) {
                let call = &call;
                calls.push(async move {
                    let (entries, senders): (Vec<T>, Vec<_>) = batch.into_iter().unzip();
                    for (sender, failure) in senders.into_iter().zip(call(entries).await) {
                        // Who does not wait any more does not want to know.
                        let _ = sender.send(failure);
                    }
                });
            }
            let due = self.waiting().since.map(|since| since + LINGER);
            tokio::select! {
                biased;
                Some(()) = calls.next() => {}
                () = self.changed.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// What is to be called now: whole calls, or everything.
    fn due(&self, is_idle: impl Fn() -> bool) -> Option<Vec<(T, oneshot::Sender<Option<Failure>>)>> {
        let mut waiting = self.waiting();
        let is_late = waiting.since.is_some_and(|since| since.elapsed() >= LINGER);
        let count = waiting.entries.len();
        let due = if is_late || is_idle() { count } else { count - count % MAX_ENTRIES };
        if due == 0 {
            return None;
        }
        let batch = waiting.entries.drain(..due).collect();
        waiting.since = (!waiting.entries.is_empty()).then(Instant::now);
        Some(batch)
    }
}

#[cfg(test)]
mod tests;
