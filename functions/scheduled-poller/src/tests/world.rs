//! A queue that knows visibility and receive counts, and a worker that does what a test says.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sluicegate::{
    clock::Clock,
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, Invoke, InvokeError, Receive, ReceivingQueue,
        SourceQueue, TargetFunction, VisibilityChange,
    },
    events::{
        Queue,
        dispatch::{Message, MessageAttributeValue},
    },
    runtime::{Invocation, InvocationError},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Config, Poller, Summary};

/// The queue's own visibility timeout where a receive names none.
const VISIBILITY: Duration = Duration::from_mins(3);
const LATENCY: Duration = Duration::from_millis(20);
/// How often a long poll looks.
const GLANCE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) body: String,
    pub(super) receives: u32,
    visible_at: Instant,
}

impl Stored {
    /// Just sent.
    pub(super) fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), receives: 0, visible_at: Instant::now() }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) messages: BTreeMap<usize, Stored>,
    pub(super) receives: Vec<Received>,
    /// Successful changes of visibility: message, receives so far, seconds.
    pub(super) changes: Vec<(usize, u32, u64)>,
    /// Handles in successful changes.
    pub(super) changed: BTreeSet<String>,
    pub(super) dead_letters: Vec<(String, BTreeMap<String, String>)>,
    pub(super) deleted: BTreeSet<usize>,
    pub(super) calls: Vec<Call>,
    in_flight: usize,
    pub(super) most_in_flight: usize,
}

#[derive(Debug)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) wait: Duration,
    pub(super) asked: usize,
    pub(super) messages: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) at: Instant,
    pub(super) invoke: Invoke,
    pub(super) bytes: usize,
    pub(super) handles: Vec<String>,
    pub(super) payload: serde_json::Value,
    pub(super) worked: bool,
}

/// How long a call takes, and what it comes to.
pub(super) type Outcome<T> = (Duration, Result<T, CallError>);

type Works = dyn Fn(&Call) -> (Duration, Result<(), InvokeError>) + Send + Sync;
/// Given how many attributes a dead letter has.
type DeadLetters = dyn Fn(usize) -> Outcome<()> + Send + Sync;
type Answers = dyn Fn() -> Outcome<()> + Send + Sync;

/// Where everything happens. A clone is the same place.
#[derive(Clone)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
    works: Arc<Works>,
    receives: Arc<Answers>,
    changes: Arc<Answers>,
    deletes: Arc<Answers>,
    dead_letters: Arc<DeadLetters>,
    /// Makes a message that was received into another.
    pub(super) spoil: Arc<dyn Fn(Message) -> Message + Send + Sync>,
    /// Says at once that nothing is there, as some emulators do.
    pub(super) is_impatient: bool,
    started: Instant,
}

fn fine() -> Outcome<()> {
    (LATENCY, Ok(()))
}

impl World {
    pub(super) fn new(bodies: impl IntoIterator<Item = String>) -> Self {
        let state = State { messages: bodies.into_iter().map(Stored::new).enumerate().collect(), ..State::default() };
        Self {
            state: Arc::new(Mutex::new(state)),
            works: Arc::new(|_| (Duration::from_millis(100), Ok(()))),
            receives: Arc::new(fine),
            changes: Arc::new(fine),
            deletes: Arc::new(fine),
            dead_letters: Arc::new(|_| fine()),
            spoil: Arc::new(|message| message),
            is_impatient: false,
            started: Instant::now(),
        }
    }

    pub(super) fn of(messages: usize) -> Self {
        Self::new((0..messages).map(|_| "{}".to_owned()))
    }

    pub(super) fn worker(
        mut self,
        works: impl Fn(&Call) -> (Duration, Result<(), InvokeError>) + Send + Sync + 'static,
    ) -> Self {
        self.works = Arc::new(works);
        self
    }

    pub(super) fn receiving(mut self, receives: impl Fn() -> Outcome<()> + Send + Sync + 'static) -> Self {
        self.receives = Arc::new(receives);
        self
    }

    pub(super) fn changing(mut self, changes: impl Fn() -> Outcome<()> + Send + Sync + 'static) -> Self {
        self.changes = Arc::new(changes);
        self
    }

    pub(super) fn deleting(mut self, deletes: impl Fn() -> Outcome<()> + Send + Sync + 'static) -> Self {
        self.deletes = Arc::new(deletes);
        self
    }

    pub(super) fn taking_dead_letters(
        mut self,
        dead_letters: impl Fn(usize) -> Outcome<()> + Send + Sync + 'static,
    ) -> Self {
        self.dead_letters = Arc::new(dead_letters);
        self
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        let started = self.started;
        Arc::new(move || -> SystemTime { UNIX_EPOCH + Duration::from_hours(500_000) + started.elapsed() })
    }

    pub(super) fn poller(&self, settings: &[(&str, &str)]) -> Poller<Self, Self> {
        Poller::new(config(settings), self.clone(), self.clone(), self.clock())
    }

    /// One run of so many seconds.
    pub(super) async fn run(&self, settings: &[(&str, &str)], seconds: u64) -> Result<Summary, InvocationError> {
        let remaining = Some(Duration::from_secs(seconds));
        let invocation = Invocation { request_id: "r".to_owned(), remaining };
        let ends_at = Instant::now() + Duration::from_secs(seconds);
        let answer = self.poller(settings).handle("{}", &invocation).await;
        assert!(Instant::now() < ends_at, "it did not stop in time");
        if let Ok(summary) = &answer {
            let counted =
                summary.dispatched + summary.returned + summary.left + summary.dead_lettered + summary.malformed;
            assert_eq!(summary.received, counted, "{summary:?}");
        }
        answer
    }
}

pub(super) fn config(settings: &[(&str, &str)]) -> Config {
    let always = [("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/polled"), ("WORKER_FUNCTION", "worker")];
    let always = [&always[..], &[("VISIBILITY_SECONDS", "180")]].concat();
    let all = [settings, &always].concat();
    Config::from_lookup(&|name| all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())).unwrap()
}

/// The message that a handle is of, and its receive.
pub(super) fn read_handle(handle: &str) -> (usize, u32) {
    let (message, receive) = handle.split_once('/').unwrap();
    (message.parse().unwrap(), receive.parse().unwrap())
}

impl ReceivingQueue for World {
    async fn receive(&self, _: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        let (asked, wait) = (receive.max_messages, receive.wait);
        let place = {
            let mut state = self.state();
            state.receives.push(Received { at: Instant::now(), wait, asked, messages: Vec::new() });
            state.receives.len() - 1
        };
        let until = Instant::now() + wait;
        let (latency, answer) = (self.receives)();
        answer?;
        sleep(latency).await;
        loop {
            {
                let state = &mut *self.state();
                let now = Instant::now();
                let visible = state.messages.iter_mut().filter(|(_, stored)| stored.visible_at <= now);
                let mut taken = Vec::new();
                for (&id, stored) in visible.take(asked) {
                    stored.receives += 1;
                    stored.visible_at = now + receive.visibility.unwrap_or(VISIBILITY);
                    taken.push((self.spoil)(message(id, stored)));
                    state.receives[place].messages.push(id);
                }
                if !taken.is_empty() {
                    return Ok(taken);
                }
            }
            if Instant::now() >= until || self.is_impatient {
                return Ok(Vec::new());
            }
            sleep_until((Instant::now() + GLANCE).min(until)).await;
        }
    }
}

fn message(id: usize, stored: &Stored) -> Message {
    let photo = MessageAttributeValue {
        data_type: "Binary".to_owned(),
        binary_value: Some("AAEC".to_owned()),
        string_value: None,
    };
    Message {
        message_id: Some(format!("m-{id}")),
        receipt_handle: Some(format!("{id}/{}", stored.receives)),
        body: Some(stored.body.clone()),
        attributes: HashMap::from([("ApproximateReceiveCount".to_owned(), stored.receives.to_string())]),
        message_attributes: BTreeMap::from([("Photo".to_owned(), photo)]),
    }
}

impl SourceQueue for World {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        let (latency, answer) = (self.deletes)();
        sleep(latency).await;
        answer?;
        let mut state = self.state();
        for handle in handles {
            let (id, _) = read_handle(handle);
            state.messages.remove(&id);
            state.deleted.insert(id);
        }
        Ok(Vec::new())
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        assert!((1..=10).contains(&changes.len()));
        let (latency, answer) = (self.changes)();
        sleep(latency).await;
        answer?;
        let mut state = self.state();
        let mut failed = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            let (id, receive) = read_handle(change.receipt_handle);
            let Some(stored) = state.messages.get_mut(&id) else {
                failed.push(FailedEntry { index, failure: Failure::HandleExpired("deleted".to_owned()) });
                continue;
            };
            assert_eq!(
                stored.receives, receive,
                "a change with an old handle opens the message under another consumer"
            );
            stored.visible_at = Instant::now() + change.timeout;
            state.changes.push((id, receive, change.timeout.as_secs()));
            state.changed.insert(change.receipt_handle.to_owned());
        }
        Ok(failed)
    }
}

impl DeadLetterQueue for World {
    async fn send(&self, _: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let (latency, answer) =
            (self.dead_letters)(dead_letters.iter().map(|dead_letter| dead_letter.attributes.len()).sum());
        sleep(latency).await;
        answer?;
        for dead_letter in dead_letters {
            let text = |value: &sluicegate::events::MessageAttribute| value.as_text().unwrap_or("binary").to_owned();
            let attributes = dead_letter.attributes.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            self.state().dead_letters.push((dead_letter.message_id.to_owned(), attributes));
        }
        Ok(Vec::new())
    }
}

impl TargetFunction for World {
    async fn invoke(&self, payload: &str, invoke: Invoke) -> Result<String, InvokeError> {
        let read: serde_json::Value = serde_json::from_str(payload).unwrap();
        let handles = read["messages"].as_array().unwrap().iter();
        let handles: Vec<String> =
            handles.map(|message| message["ReceiptHandle"].as_str().unwrap().to_owned()).collect();
        let call = Call { at: Instant::now(), invoke, bytes: payload.len(), handles, payload: read, worked: false };
        let (takes, outcome) = (self.works)(&call);
        let place = {
            let mut state = self.state();
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            state.calls.push(call);
            state.calls.len() - 1
        };
        let _ends = Ends(self);
        sleep(takes).await;
        outcome?;
        let mut state = self.state();
        state.calls[place].worked = true;
        let ids: Vec<usize> = state.calls[place].handles.iter().map(|handle| read_handle(handle).0).collect();
        for id in ids {
            state.messages.remove(&id);
            state.deleted.insert(id);
        }
        Ok(String::new())
    }
}

/// A call ends when it is answered, and when nobody waits for it any more.
struct Ends<'w>(&'w World);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}
