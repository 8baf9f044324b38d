//! One message of a batch: received, and neither deleted nor visible yet.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    fate::Fate,
    report::{Deletion, Delivery},
    retry::MAX_VISIBILITY,
};
use crate::events::{MalformedRecord, Record};

/// The twelve hours of a message whose receive may be long ago.
const MAX_OF_UNKNOWN_AGE: Duration = Duration::from_hours(11);

/// What is known of the time of a batch's receipt handles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandleTimes {
    /// When the messages become visible again, where that is known.
    pub(crate) visible_at: Option<Instant>,
    /// When SQS makes them visible whatever it is asked.
    pub(crate) limit_at: Instant,
}

impl HandleTimes {
    /// Of messages received `age` ago at the most, to be invisible for `visibility` from then on; `None` where nobody said
    /// so.
    pub(crate) fn new(age: Option<Duration>, visibility: Option<Duration>) -> Self {
        let now = Instant::now();
        let Some(age) = age else {
            return Self { visible_at: visibility.map(|time| now + time), limit_at: now + MAX_OF_UNKNOWN_AGE };
        };
        Self {
            visible_at: visibility.map(|visibility| now + visibility.saturating_sub(age)),
            limit_at: now + MAX_VISIBILITY.saturating_sub(age),
        }
    }
}

/// A message with what became of it so far.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) record: Result<Record, MalformedRecord>,
    state: Mutex<State>,
    handle_lost: Notify,
}

#[derive(Debug)]
struct State {
    times: HandleTimes,
    fate: Option<Fate>,
    duration: Duration,
    delay: Option<Duration>,
    deletion: Deletion,
    is_settled: bool,
}

impl InFlight {
    /// The messages of a batch. One that is there twice is one delivery, in its first place and with its newest handle.
    pub(crate) fn of_batch(records: Vec<Result<Record, MalformedRecord>>, times: HandleTimes) -> Vec<Self> {
        let mut messages: Vec<Self> = Vec::with_capacity(records.len());
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for record in records {
            if let Some(&place) = places.get(message_id(&record)) {
                messages[place].record = record;
            } else {
                places.insert(message_id(&record).to_owned(), messages.len());
                messages.push(Self::new(record, times));
            }
        }
        messages
    }

    fn new(record: Result<Record, MalformedRecord>, times: HandleTimes) -> Self {
        let state = State {
            times,
            fate: None,
            duration: Duration::ZERO,
            delay: None,
            deletion: Deletion::NotAsked,
            is_settled: false,
        };
        Self { record, state: Mutex::new(state), handle_lost: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn message_id(&self) -> &str {
        message_id(&self.record)
    }

    /// `None` where the event does not say it: Lambda deletes without ours.
    pub(crate) fn receipt_handle(&self) -> Option<&str> {
        let handle = match &self.record {
            Ok(record) => Some(record.receipt_handle.as_str()),
            Err(malformed) => malformed.receipt_handle.as_deref(),
        };
        handle.filter(|handle| !handle.is_empty())
    }

    pub(crate) fn group_id(&self) -> Option<&str> {
        match &self.record {
            Ok(record) => record.group_id.as_deref(),
            Err(malformed) => malformed.group_id.as_deref(),
        }
    }

    pub(crate) fn receive_count(&self) -> Option<u32> {
        self.record.as_ref().ok()?.receive_count
    }

    pub(crate) fn times(&self) -> HandleTimes {
        self.state().times
    }

    /// Its handle is good until then and no longer.
    pub(crate) fn handle_ends_at(&self) -> Instant {
        let times = self.times();
        times.visible_at.map_or(times.limit_at, |visible_at| visible_at.min(times.limit_at))
    }

    /// Whether another consumer may have it.
    pub(crate) fn handle_is_over(&self) -> bool {
        Instant::now() >= self.handle_ends_at()
    }

    /// SQS keeps it invisible until then.
    pub(crate) fn visible_at(&self, time: Instant) {
        self.state().times.visible_at = Some(time);
    }

    /// SQS says that its handle is no longer good.
    pub(crate) fn lose_handle(&self) {
        self.visible_at(Instant::now());
        self.handle_lost.notify_waiters();
    }

    /// Ends when its handle does.
    pub(crate) async fn handle_over(&self) {
        loop {
            let lost = self.handle_lost.notified();
            if self.handle_is_over() {
                return;
            }
            tokio::select! {
                biased;
                () = lost => {}
                () = sleep_until(self.handle_ends_at()) => {}
            }
        }
    }

    pub(crate) fn worked_for(&self, duration: Duration) {
        self.state().duration = duration;
    }

    pub(crate) fn stays_away_for(&self, delay: Duration) {
        self.state().delay = Some(delay);
    }

    pub(crate) fn deletion(&self, deletion: Deletion) {
        self.state().deletion = deletion;
    }

    /// Done, and not yet deleted by us.
    pub(crate) fn waits_for_lambda(&self) -> bool {
        let state = self.state();
        state.deletion == Deletion::NotAsked && state.fate.as_ref().is_some_and(Fate::is_final)
    }

    /// Nothing more is asked for it.
    pub(crate) fn settle(&self, fate: Fate) {
        let mut state = self.state();
        state.fate = Some(fate);
        state.is_settled = true;
    }

    /// Whether it is left to the queue: no heartbeat must undo what the queue was told last.
    pub(crate) fn is_settled(&self) -> bool {
        self.state().is_settled
    }

    pub(crate) fn leave_to_queue(&self) {
        self.state().is_settled = true;
    }

    /// What became of it in the end.
    pub(crate) fn into_delivery(self) -> Delivery {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Delivery {
            record: self.record,
            fate: state.fate.unwrap_or(Fate::NotStarted),
            duration: state.duration,
            delay: state.delay,
            deletion: state.deletion,
        }
    }
}

fn message_id(record: &Result<Record, MalformedRecord>) -> &str {
    match record {
        Ok(record) => &record.message_id,
        Err(malformed) => &malformed.message_id,
    }
}
