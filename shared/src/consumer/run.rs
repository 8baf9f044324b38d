//! The loop: receive, work, settle, stop.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    error::ConsumerError,
    gathering::{Gathering, Receiving},
    handler::{Handler, HandlerError, Received},
    lane::{handle_of, lanes, read},
    observer::{Log, Observer},
    settings::Settings,
    tally::{Counter, Tally},
    workforce::{Place, Workforce},
};
use crate::{
    clock::{Clock, SystemClock},
    delivery::{CallError, Deadline, Delivery, Disposition, Engine, Fate, Policy, Receive, RecordError, Report},
    events::{Batch, EventSource, Record, dispatch::Message},
    random::{Random, SystemRandom},
};

/// After an error that may pass: the first pause, doubled by each, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Between empty answers that came at once.
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// An open receive may have taken messages already; longer than an answer is under way it is not waited for.
const ANSWER_ON_ITS_WAY: Duration = Duration::from_secs(1);
/// To tell the queue about everything, once the work has ended.
const SETTLING: Duration = Duration::from_secs(10);

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Nothing is begun any more.
    Finishing,
    /// Nothing is at work any more.
    Ending,
}

/// A worker on one queue: one run.
pub struct Consumer<P, H: Handler, O = Log> {
    settings: Settings,
    engine: Engine<Gathering<P>>,
    handler: H,
    observer: O,
    workforce: Rc<Workforce>,
    clock: Arc<dyn Clock>,
    phase: watch::Sender<Phase>,
    /// The first receipt handle of every lane that has not begun.
    unbegun: RefCell<HashSet<String>>,
    next_begin: Cell<Instant>,
    not_before: Cell<Instant>,
    pause: Cell<Duration>,
    last_was_empty: Cell<bool>,
    fatal: RefCell<Option<ConsumerError<H::Fatal>>>,
    counter: Counter,
}

/// What has begun: receives, and lanes that are worked on and settled.
#[derive(Default)]
struct Open<'c> {
    receives: FuturesUnordered<LocalBoxFuture<'c, Answer>>,
    in_hand: FuturesUnordered<LocalBoxFuture<'c, Report>>,
    /// Messages asked for and not answered yet.
    coming: usize,
}

/// One receive: how many were asked for, whether nothing else was in hand, and what came.
struct Answer {
    asked: usize,
    alone: bool,
    /// Before it was asked.
    received_at: SystemTime,
    took: Duration,
    outcome: Result<Vec<Message>, CallError>,
}

impl<P: Receiving, H: Handler> Consumer<P, H> {
    /// This work on the messages of that queue. Of the policy, what the settings say of visibility and concurrency holds.
    pub fn new(settings: Settings, port: P, policy: Policy, handler: H) -> Self {
        Self::in_world(settings, port, policy, handler, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// As [`Consumer::new`], with a clock and with chances of one's own.
    pub fn in_world(
        settings: Settings,
        port: P,
        policy: Policy,
        handler: H,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let mut settings = settings;
        // Nobody at work, or a message that is never hidden, would be no consumer.
        settings.concurrency = settings.concurrency.max(1);
        settings.least_concurrency = settings.least_concurrency.clamp(1, settings.concurrency);
        settings.visibility = settings.visibility.max(Duration::from_secs(1));
        let policy = Policy {
            // A lane is one batch, and its order is the engine's; how many lanes run is the workforce's.
            concurrency: 1,
            visibility: Some(settings.visibility),
            // Received by ourselves.
            clock_tolerance: Duration::ZERO,
            ..policy
        };
        // The message is invisible while its delete waits for company: never for a good part of that time.
        let linger = (settings.visibility / 6).min(Duration::from_secs(1));
        let port = Gathering::new(port, settings.queue.clone(), linger);
        Self {
            engine: Engine::in_world(port, policy, Arc::clone(&clock), random),
            handler,
            observer: Log,
            workforce: Workforce::new(settings.least_concurrency, settings.concurrency),
            clock,
            phase: watch::Sender::new(Phase::Running),
            unbegun: RefCell::default(),
            next_begin: Cell::new(Instant::now()),
            not_before: Cell::new(Instant::now()),
            pause: Cell::new(PAUSES.0),
            last_was_empty: Cell::new(false),
            fatal: RefCell::default(),
            counter: Counter::default(),
            settings,
        }
    }

    /// Told to this observer instead of the log.
    #[must_use]
    pub fn observed_by<O: Observer>(self, observer: O) -> Consumer<P, H, O> {
        let Self { settings, engine, handler, workforce, clock, phase, unbegun, .. } = self;
        let Self { next_begin, not_before, pause, last_was_empty, fatal, counter, .. } = self;
        Consumer {
            settings,
            engine,
            handler,
            observer,
            workforce,
            clock,
            phase,
            unbegun,
            next_begin,
            not_before,
            pause,
            last_was_empty,
            fatal,
            counter,
        }
    }
}

impl<P: Receiving, H: Handler, O: Observer> Consumer<P, H, O> {
    /// What became of the messages so far.
    pub fn tally(&self) -> Tally {
        Tally { requests: self.engine.port().requests(), ..self.counter.get() }
    }

    /// Runs until there is nothing more to do, or `stop` answers: then what is at work is finished within the grace, the
    /// rest given back. When `stop` answers again, it ends at once. `stop` is asked anew whenever something has happened,
    /// and what it waits for must still come then: a signal's stream does, a `sleep` begins again. Fails with what ended the
    /// run before its time.
    pub async fn run(&self, mut stop: impl AsyncFnMut()) -> Result<(), ConsumerError<H::Fatal>> {
        tokio::select! {
            outcome = self.receive_and_work(&mut stop) => outcome,
            () = self.engine.port().run() => unreachable!("gathering never ends by itself"),
        }
    }

    async fn receive_and_work(&self, stop: &mut impl AsyncFnMut()) -> Result<(), ConsumerError<H::Fatal>> {
        let mut open = Open::default();
        while self.fatal.borrow().is_none() {
            while let Some(asked) = self.ask(open.coming, open.receives.len(), open.in_hand.is_empty()) {
                open.coming += asked;
                open.receives.push(Box::pin(self.receive(asked, open.in_hand.is_empty())));
            }
            if open.receives.is_empty() && open.in_hand.is_empty() && self.is_over() {
                break;
            }
            let wake = self.next_begin.get().max(self.not_before.get());
            tokio::select! {
                Some(answer) = open.receives.next() => self.take(answer, &mut open),
                Some(report) = open.in_hand.next() => self.settled(&report),
                () = self.workforce.changes() => {}
                () = sleep_until(wake), if wake > Instant::now() => {}
                () = stop() => break,
            }
        }
        self.phase.send_replace(Phase::Finishing);
        self.engine.port().hurry();
        let grace = Instant::now() + self.settings.grace;
        tokio::select! {
            () = self.finish(open, grace) => {}
            () = stop() => return Err(self.cut_short("stopped at once")),
            () = sleep_until(grace + SETTLING) => return Err(self.cut_short("the queue could not be told in time")),
        }
        self.fatal.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// Ends what is open: answers on their way are given back, work goes on until the grace is over.
    async fn finish<'c>(&'c self, mut open: Open<'c>, grace: Instant) {
        let mut answers_until = Instant::now() + ANSWER_ON_ITS_WAY;
        while !(open.receives.is_empty() && open.in_hand.is_empty()) {
            tokio::select! {
                Some(answer) = open.receives.next() => self.take(answer, &mut open),
                Some(report) = open.in_hand.next() => {
                    self.settled(&report);
                    answers_until = Instant::now() + ANSWER_ON_ITS_WAY;
                }
                // A receive that was dropped could still take what is given back, and nobody would know: as long as
                // something may be, it stays open, and what it brings is given back too.
                () = sleep_until(answers_until), if open.in_hand.is_empty() && !open.receives.is_empty() => {
                    open.receives.clear();
                }
                () = sleep_until(grace), if *self.phase.borrow() < Phase::Ending => {
                    self.phase.send_replace(Phase::Ending);
                }
            }
        }
    }

    fn cut_short(&self, why: &'static str) -> ConsumerError<H::Fatal> {
        let tally = self.counter.get();
        let settled = tally.done + tally.retried + tally.dead_lettered + tally.rejected + tally.given_back;
        ConsumerError::CutShort { why, in_hand: tally.received.saturating_sub(settled + tally.abandoned) }
    }

    /// Whether no more messages will be asked for.
    fn is_over(&self) -> bool {
        let received = self.counter.get().received;
        self.settings.max.is_some_and(|max| received >= max) || (self.settings.until_empty && self.last_was_empty.get())
    }

    /// How many messages to ask for now, if any.
    fn ask(&self, coming: usize, receives: usize, is_idle: bool) -> Option<usize> {
        let Settings { max, every, until_empty, visibility, .. } = self.settings;
        let now = Instant::now();
        let empty = self.last_was_empty.get();
        let allowed = if empty { 1 } else { self.workforce.receivers() };
        // What is in hand may be all there is of its groups: only an empty hand makes an empty answer the end.
        let must_wait = empty && until_empty && !is_idle;
        if self.is_over() || must_wait || receives >= allowed || now < self.not_before.get() {
            return None;
        }
        if !self.unbegun.borrow().is_empty() || every.is_some_and(|_| now < self.next_begin.get() || receives > 0) {
            return None;
        }
        // Before the first heartbeat: what waits longer costs more calls.
        let soon = visibility / 3;
        let left = max.map_or(u64::MAX, |max| max - self.counter.get().received);
        let left = usize::try_from(left).unwrap_or(usize::MAX).saturating_sub(coming);
        let paced = every.filter(|every| !every.is_zero()).map_or(usize::MAX, |every| {
            usize::try_from(soon.as_millis() / every.as_millis().max(1)).unwrap_or(usize::MAX).max(1)
        });
        Some(self.workforce.ask(soon, coming).min(left).min(paced)).filter(|asked| *asked > 0)
    }

    async fn receive(&self, asked: usize, alone: bool) -> Answer {
        let Settings { wait, visibility, .. } = self.settings;
        let receive = Receive { max_messages: asked, wait, visibility: Some(visibility) };
        let (received_at, asked_at) = (self.clock.now(), Instant::now());
        let outcome = self.engine.port().receive(&receive).await;
        Answer { asked, alone, received_at, took: asked_at.elapsed(), outcome }
    }

    /// Draws the conclusions from an answer, and takes what it brought in hand.
    fn take<'c>(&'c self, answer: Answer, open: &mut Open<'c>) {
        open.coming -= answer.asked;
        let messages = match answer.outcome {
            Ok(messages) => messages,
            Err(error) => return self.pause_after(&error),
        };
        self.pause.set(PAUSES.0);
        self.counter.count(|tally| tally.received += messages.len() as u64);
        self.workforce.received(answer.asked, messages.len());
        let is_end = !self.settings.until_empty || (answer.alone && open.in_hand.is_empty());
        self.last_was_empty.set(messages.is_empty() && is_end);
        if messages.is_empty() && answer.took < IDLE_PAUSE {
            self.not_before.set(Instant::now() + IDLE_PAUSE);
        }
        let lanes = lanes(messages, self.settings.queue.is_fifo());
        let first = |lane: &Vec<Message>| lane.first()?.receipt_handle.clone();
        self.unbegun.borrow_mut().extend(lanes.iter().filter_map(first));
        for lane in lanes {
            open.in_hand.push(Box::pin(self.deliver(lane, answer.received_at)));
        }
    }

    fn pause_after(&self, error: &CallError) {
        if !error.is_transient {
            self.fatal.borrow_mut().get_or_insert(ConsumerError::NotReceived(error.message.clone()));
            return;
        }
        let pause = self.pause.get();
        self.observer.paused(pause, &error.message);
        self.not_before.set(Instant::now() + pause);
        self.pause.set((pause * 2).min(PAUSES.1));
    }

    /// Works on one lane and settles it with the queue.
    async fn deliver(&self, lane: Vec<Message>, received_at: SystemTime) -> Report {
        let (records, senders) = read(lane);
        let first = records.first().map(handle_of).unwrap_or_default();
        let batch = Batch {
            received_at: Some(received_at),
            visibility: Some(self.settings.visibility),
            ..Batch::new(EventSource::Dispatch, self.settings.queue.clone(), records)
        };
        let handler = async |record: &Record| self.handle(record, &senders).await;
        let report = self.engine.run(batch, Deadline::never(), &handler).await;
        // It may have ended without having begun.
        self.unbegun.borrow_mut().remove(&first);
        report
    }

    async fn handle(&self, record: &Record, senders: &HashMap<String, String>) -> Result<(), RecordError> {
        let place = tokio::select! {
            biased;
            () = self.reaches(Phase::Finishing) => None,
            place = self.begin() => place,
        };
        self.unbegun.borrow_mut().remove(&record.receipt_handle);
        self.workforce.changed();
        let Some(_place) = place else {
            return Err(RecordError::later(Duration::ZERO, "given back: the consumer was told to stop"));
        };
        let started = Instant::now();
        let sender_id = senders.get(&record.receipt_handle).map(String::as_str);
        let received = Received { queue: &self.settings.queue, record, sender_id };
        let timeout = self.settings.timeout;
        let stopped = async {
            tokio::select! {
                () = sleep(timeout) => RecordError::retry(format!("stopped: it took longer than {timeout:?}")),
                () = self.reaches(Phase::Ending) => {
                    RecordError::later(Duration::ZERO, "given back: it took longer than the time to stop")
                }
            }
        };
        let outcome = self.handler.handle(received, stopped).await;
        self.workforce.worked(started.elapsed());
        match outcome {
            Ok(()) => Ok(()),
            Err(HandlerError::Record(error)) => Err(error),
            Err(HandlerError::Fatal(fatal)) => {
                let later = RecordError::later(Duration::ZERO, "given back: the consumer cannot work");
                self.fatal.borrow_mut().get_or_insert(ConsumerError::Handler(fatal));
                self.phase.send_if_modified(|phase| {
                    let is_running = *phase == Phase::Running;
                    *phase = (*phase).max(Phase::Finishing);
                    is_running
                });
                Err(later)
            }
        }
    }

    /// A place, and the time to begin.
    async fn begin(&self) -> Option<Place> {
        let place = self.workforce.enter().await;
        if let Some(every) = self.settings.every {
            let at = self.next_begin.get().max(Instant::now());
            self.next_begin.set(at + every);
            sleep_until(at).await;
        }
        place
    }

    async fn reaches(&self, phase: Phase) {
        // The sender is ours: it does not go away.
        let _ = self.phase.subscribe().wait_for(|now| *now >= phase).await;
    }

    /// Counts what became of a lane, and says it.
    fn settled(&self, report: &Report) {
        for delivery in &report.deliveries {
            self.count(delivery);
            self.observer.settled(delivery);
        }
    }

    fn count(&self, delivery: &Delivery) {
        self.counter.count(|tally| {
            let count = match &delivery.fate {
                _ if delivery.record.is_err() => &mut tally.retried,
                Fate::Done | Fate::Duplicate if delivery.is_not_deleted() => &mut tally.not_deleted,
                Fate::Done | Fate::Duplicate => &mut tally.done,
                Fate::Retry(error) if error.disposition() == Disposition::Reject => &mut tally.rejected,
                Fate::Retry(_) => &mut tally.retried,
                Fate::Rejected(_) | Fate::GivenUp(_) => &mut tally.dead_lettered,
                Fate::Abandoned => &mut tally.abandoned,
                _ => &mut tally.given_back,
            };
            *count += 1;
        });
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
