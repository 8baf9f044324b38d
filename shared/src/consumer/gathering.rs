//! Many small deletes and visibility changes as few calls.
//!
//! The engine settles each message by itself, as soon as its work is done. Here what comes from many messages within a
//! moment is put into one call of up to ten entries, which is what keeps a message at 0.2 requests.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, MAX_ENTRIES, Receive, ReceivingQueue,
        SourceQueue, VisibilityChange,
    },
    events::{Queue, dispatch::Message},
};
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until},
};

/// A queue that is received from, and that takes dead letters.
pub trait Receiving: ReceivingQueue + DeadLetterQueue {}

impl<P: ReceivingQueue + DeadLetterQueue> Receiving for P {}

/// A queue whose small calls are gathered. Nothing leaves unless [`Gathering::run`] is polled beside.
#[derive(Debug)]
pub(crate) struct Gathering<P> {
    port: P,
    queue: Queue,
    /// How long the first of a call waits for others.
    linger: Duration,
    /// Nothing waits any more.
    hurries: AtomicBool,
    deletes: Waiting<String>,
    changes: Waiting<(String, Duration)>,
    requests: AtomicU64,
}

type Answer = Option<Failure>;

#[derive(Debug)]
struct Waiting<T> {
    entries: Mutex<Entries<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct Entries<T> {
    waiting: VecDeque<(T, oneshot::Sender<Answer>)>,
    since: Option<Instant>,
}

impl<P: Receiving> Gathering<P> {
    pub(crate) fn new(port: P, queue: Queue, linger: Duration) -> Self {
        Self {
            port,
            queue,
            linger,
            hurries: AtomicBool::new(false),
            deletes: Waiting::default(),
            changes: Waiting::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// Calls made, receives included.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) async fn receive(&self, receive: &Receive) -> Result<Vec<Message>, CallError> {
        self.count();
        self.port.receive(&self.queue, receive).await
    }

    /// From now on nothing waits for company.
    pub(crate) fn hurry(&self) {
        self.hurries.store(true, Ordering::Relaxed);
        self.deletes.changed.notify_one();
        self.changes.changed.notify_one();
    }

    fn linger(&self) -> Duration {
        if self.hurries.load(Ordering::Relaxed) { Duration::ZERO } else { self.linger }
    }

    /// Makes the calls. Never ends by itself.
    pub(crate) async fn run(&self) {
        let deletes = self.deletes.run(
            || self.linger(),
            async |entries: Vec<String>| {
                self.count();
                let handles: Vec<&str> = entries.iter().map(String::as_str).collect();
                self.port.delete(&self.queue, &handles).await
            },
        );
        let changes = self.changes.run(
            || self.linger(),
            async |entries: Vec<(String, Duration)>| {
                self.count();
                let change = |(handle, timeout): &(String, Duration)| (handle.clone(), *timeout);
                let owned: Vec<(String, Duration)> = entries.iter().map(change).collect();
                let changes: Vec<VisibilityChange<'_>> = owned
                    .iter()
                    .map(|(receipt_handle, timeout)| VisibilityChange { receipt_handle, timeout: *timeout })
                    .collect();
                self.port.change_visibility(&self.queue, &changes).await
            },
        );
        futures::future::join(deletes, changes).await;
    }
}

impl<P: Receiving> SourceQueue for Gathering<P> {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(self.deletes.add(handles.iter().map(|&handle| handle.to_owned())).await)
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let owned = changes.iter().map(|change| (change.receipt_handle.to_owned(), change.timeout));
        Ok(self.changes.add(owned).await)
    }
}

/// Dead letters are rare and large: they go at once.
impl<P: Receiving> DeadLetterQueue for Gathering<P> {
    async fn send(&self, queue_url: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        self.count();
        self.port.send(queue_url, dead_letters).await
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { entries: Mutex::new(Entries { waiting: VecDeque::new(), since: None }), changed: Notify::new() }
    }
}

impl<T> Waiting<T> {
    fn entries(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds entries and waits until they were called; answers those that failed.
    async fn add(&self, entries: impl Iterator<Item = T> + Send) -> Vec<FailedEntry> {
        let answers: Vec<oneshot::Receiver<Answer>> = {
            let mut open = self.entries();
            open.since.get_or_insert_with(Instant::now);
            let add = |entry| {
                let (sender, answer) = oneshot::channel();
                open.waiting.push_back((entry, sender));
                answer
            };
            entries.map(add).collect()
        };
        self.changed.notify_one();
        let mut failed = Vec::new();
        for (index, answer) in answers.into_iter().enumerate() {
            let lost = || Some(Failure::Transient("not called".to_owned()));
            if let Some(failure) = answer.await.unwrap_or_else(|_closed| lost()) {
                failed.push(FailedEntry { index, failure });
            }
        }
        failed
    }

    async fn run(
        &self,
        linger: impl Fn() -> Duration,
        call: impl AsyncFn(Vec<T>) -> Result<Vec<FailedEntry>, CallError>,
    ) {
        let mut calls = FuturesUnordered::new();
        loop {
            while let Some(batch) = self.ready(linger()) {
                let call = &call;
                calls.push(async move {
                    let (entries, senders): (Vec<T>, Vec<_>) = batch.into_iter().unzip();
                    answer(senders, call(entries).await);
                });
            }
            let due = self.entries().since.map(|since| since + linger());
            tokio::select! {
                Some(()) = calls.next() => {}
                () = self.changed.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// Up to ten entries, when there are ten or the first has waited long enough.
    fn ready(&self, linger: Duration) -> Option<Vec<(T, oneshot::Sender<Answer>)>> {
        let mut open = self.entries();
        let Entries { waiting: entries, since } = &mut *open;
        // Nobody waits any more for an entry whose receiver is gone: its message was settled in another way.
        entries.retain(|(_, sender)| !sender.is_closed());
        if entries.is_empty() {
            *since = None;
            return None;
        }
        let is_due = since.is_none_or(|since| since.elapsed() >= linger);
        if entries.len() < MAX_ENTRIES && !is_due {
            return None;
        }
        let ten = entries.len().min(MAX_ENTRIES);
        let batch = entries.drain(..ten).collect();
        *since = (!entries.is_empty()).then(Instant::now);
        Some(batch)
    }
}

fn answer(senders: Vec<oneshot::Sender<Answer>>, outcome: Result<Vec<FailedEntry>, CallError>) {
    let mut answers: Vec<Answer> = match outcome {
        Ok(_) => vec![None; senders.len()],
        Err(ref error) => vec![Some(error.clone().into()); senders.len()],
    };
    for entry in outcome.unwrap_or_default() {
        if let Some(answer) = answers.get_mut(entry.index) {
            *answer = Some(entry.failure);
        }
    }
    for (sender, answer) in senders.into_iter().zip(answers) {
        // Who was abandoned meanwhile does not want to know.
        let _ = sender.send(answer);
    }
}
