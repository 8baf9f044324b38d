//! One batch on its way through the engine: lanes side by side, then suspects, one at a time.

use std::{
    sync::{Mutex, atomic::AtomicUsize},
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::sync::Semaphore;

use super::{
    engine::Engine,
    fate::Fate,
    heartbeat::Heartbeat,
    in_flight::InFlight,
    lane::{Lane, lanes},
    life::{Ended, Progress},
    port::{DeadLetterQueue, MAX_ENTRIES, SourceQueue},
    settle::Settler,
    work::Work,
};
use crate::{
    deadline::Deadline,
    events::{EventSource, Queue},
    idempotency::{Claim, IdempotencyStore},
    random::Random,
};

/// One batch on its way through the engine.
pub(crate) struct Run<'r, P, S, W> {
    pub(super) engine: &'r Engine<P, S>,
    pub(super) work: &'r W,
    pub(super) queue: &'r Queue,
    pub(super) source: EventSource,
    pub(super) deadline: Deadline,
    pub(super) messages: &'r [InFlight],
    pub(super) settler: Settler<'r, P>,
    /// Records that may be at work at the same time.
    concurrency: usize,
    /// Places for work.
    pub(super) places: Semaphore,
    /// Turns that are left for records which begin with the invocation.
    pub(super) first_turns: AtomicUsize,
    /// The longest work that finished in this invocation.
    pub(super) longest: Mutex<Duration>,
}

/// When a record's turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// With the invocation, as the head of a lane: it has all the time there is. There are as many of these as places;
    /// a head that finds none left begins later.
    First,
    /// When another one made room.
    Later,
    /// After all others, and alone: it may have killed the last worker.
    Alone,
}

/// A record that may have killed the worker that had it before, the rest of its lane behind it.
struct Suspect<'r> {
    message: &'r InFlight,
    claim: Claim,
    lane: Lane<'r>,
}

impl<'r, P, S, W> Run<'r, P, S, W>
where
    P: SourceQueue + DeadLetterQueue,
    S: IdempotencyStore,
    W: Work,
{
    pub(crate) fn new(
        engine: &'r Engine<P, S>,
        work: &'r W,
        (source, queue): (EventSource, &'r Queue),
        deadline: Deadline,
        messages: &'r [InFlight],
    ) -> Self {
        let dead_letter_url = engine.policy.dead_letter_queues.of(queue);
        let concurrency = engine.policy.concurrency.min(work.max_concurrency()).max(1);
        Self {
            engine,
            work,
            queue,
            source,
            deadline,
            messages,
            settler: Settler::new(&engine.port, queue, dead_letter_url, deadline),
            concurrency,
            places: Semaphore::new(concurrency),
            first_turns: AtomicUsize::new(concurrency),
            longest: Mutex::new(Duration::ZERO),
        }
    }

    /// Runs the batch: every message has its fate when this ends. With `deletes_all`, what is done is deleted by us at
    /// either entry.
    pub(crate) async fn run(&self, visibility: Option<Duration>, deletes_all: bool) {
        let all = async {
            self.all().await;
            if deletes_all {
                self.delete_what_is_done().await;
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = self.beat(visibility) => unreachable!("a heartbeat never ends by itself"),
            () = self.settler.run() => unreachable!("a settler never ends by itself"),
        }
    }

    async fn beat(&self, visibility: Option<Duration>) {
        match visibility {
            None => std::future::pending().await,
            Some(visibility) => {
                let (port, queue) = (&self.engine.port, self.queue);
                Heartbeat { port, queue, visibility, deadline: self.deadline, messages: self.messages }.run().await;
            }
        }
    }

    /// Lanes side by side; then suspects, one at a time.
    async fn all(&self) {
        let lanes = lanes(self.messages, self.queue.is_fifo());
        // A call's worth of lanes more than there are places: those are being settled.
        let mut suspects: Vec<Suspect<'r>> = stream::iter(lanes)
            .map(|lane| self.lane(lane, Turn::First))
            .buffer_unordered(self.concurrency + MAX_ENTRIES)
            .filter_map(std::future::ready)
            .collect()
            .await;
        self.engine.random.shuffle(&mut suspects);
        for Suspect { message, claim, lane } in suspects {
            self.delete_what_is_done().await;
            let ended = self.suspect(message, claim).await;
            let lane = self.next_in_lane(message, lane, ended).await;
            if let Some(lane) = lane {
                self.lane(lane, Turn::Alone).await;
            }
        }
    }

    /// A lane up to its end, or to a suspect.
    async fn lane(&self, mut lane: Lane<'r>, first: Turn) -> Option<Suspect<'r>> {
        let mut turn = first;
        while let Some(message) = lane.messages.next() {
            let at_work = self.settler.begin();
            let ended = match self.live(message, turn, at_work).await {
                Progress::Ended(ended) => ended,
                Progress::Suspected(claim) if turn == Turn::Alone => self.suspect(message, claim).await,
                Progress::Suspected(claim) => return Some(Suspect { message, claim, lane }),
            };
            lane = self.next_in_lane(message, lane, ended).await?;
            turn = if first == Turn::Alone { Turn::Alone } else { Turn::Later };
        }
        None
    }

    /// Notes a message's fate. The rest of its lane, unless it is held back.
    async fn next_in_lane(&self, message: &'r InFlight, lane: Lane<'r>, ended: Ended) -> Option<Lane<'r>> {
        let time_is_over = matches!(ended.fate, Fate::NotStarted);
        message.settle(ended.fate);
        if ended.group_goes_on {
            return Some(lane);
        }
        let rest: Vec<&InFlight> = lane.messages.collect();
        futures::future::join_all(rest.iter().map(|message| self.settler.delay(message, Duration::ZERO))).await;
        for message in rest {
            message.settle(if time_is_over { Fate::NotStarted } else { Fate::Blocked });
        }
        None
    }

    /// Before a suspect begins: should it kill this worker, what is done must not come again.
    async fn delete_what_is_done(&self) {
        let done = self.messages.iter().filter(|message| message.waits_for_lambda());
        futures::future::join_all(done.map(|message| self.settler.delete(message))).await;
    }
}
