//! What a seed decides before the world begins.

use std::time::Duration;

use sluicegate::{
    delivery::reserve_of,
    testing::{Fault, FaultPlan, Operation, Outage, Stream},
};

/// Where messages come from, and how they reach the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A standard queue with an event source mapping.
    Mapped,
    /// A FIFO queue with an event source mapping.
    Ordered,
    /// A standard queue that the scheduled poller drains once a minute.
    Polled,
    /// A FIFO queue whose messages a function of one's own receives and dispatches: the worker deletes them itself.
    Handed,
}

impl Source {
    /// Whether there are groups.
    #[must_use]
    pub fn is_fifo(self) -> bool {
        matches!(self, Self::Ordered | Self::Handed)
    }

    /// Whether the worker deletes what is done, and not Lambda.
    #[must_use]
    pub fn is_dispatched(self) -> bool {
        matches!(self, Self::Polled | Self::Handed)
    }
}

/// What the work on a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It works.
    Succeed,
    /// It works from this try on.
    SucceedAt(u32),
    /// It works when what it calls does.
    Call,
    /// It can never work, and says so.
    Reject,
    /// It fails each time.
    Fail,
    /// It panics each time.
    Panic,
    /// It kills its process.
    Kill,
    /// It takes longer than an invocation.
    Hang,
}

impl Act {
    /// Whether the message must be done in the end, and not be given up.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeed | Self::SucceedAt(_) | Self::Call)
    }
}

/// One message that will be sent.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its number, in the order of sending.
    pub number: usize,
    /// When.
    pub at: Duration,
    /// FIFO's unit of order.
    pub group: u64,
    /// What its work does.
    pub act: Act,
    /// How long that takes.
    pub takes: Duration,
    /// The name of its effect, where the business gives it one; another message may have the same.
    pub effect: Option<u64>,
    /// The business left the name blank, which is none.
    pub is_blank: bool,
    /// What its work reads beside the name: the same name with another payload is a mistake, and rejected.
    pub payload: u64,
    /// FIFO: the deduplication id, which may come again after five minutes.
    pub deduplication: u64,
}

/// All that is decided before the world begins. What the seed decides later is in the world.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The world's own.
    pub seed: u64,
    /// Where messages come from.
    pub source: Source,
    /// Whether the worker has an idempotency store.
    pub has_store: bool,
    /// The worker's time-out.
    pub timeout: Duration,
    /// Records (or groups) side by side.
    pub concurrency: usize,
    /// The mapping's batch size; the poller decides its own.
    pub batch_size: usize,
    /// Invocations side by side.
    pub max_concurrency: u32,
    /// `MAX_TRIES`.
    pub max_tries: u32,
    /// The queue's `maxReceiveCount`.
    pub max_receives: u32,
    /// The poller waits for the worker's answer.
    pub waits_for_answer: bool,
    /// How long a received message is invisible.
    pub visibility: Duration,
    /// The longest job that the poller is told of.
    pub longest_job: Duration,
    /// The dead-letter queue takes the messages as they were sent, and no byte of notes.
    pub letters_fill_their_queue: bool,
    /// The messages, in the order of sending.
    pub messages: Vec<Planned>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

/// `HORIZON_SECONDS` in every scenario: the default.
pub(crate) const HORIZON: Duration = Duration::from_mins(20);
/// After this time without faults everything has drained: the longest that ten tries take, the longest visibility, and
/// more of both.
pub(crate) const DRAINS_IN: Duration = Duration::from_hours(24);
/// What a small dead-letter queue takes: the least that SQS allows.
pub(crate) const SMALL_LETTER_BYTES: usize = 1_024;

impl Scenario {
    /// What this seed decides.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let draws = Stream::new(seed).fork("scenario");
        let one_of = |list: &[u64]| list[draws.place(list.len())];
        let source = [Source::Mapped, Source::Ordered, Source::Polled, Source::Handed][draws.place(4)];
        let has_store = source.is_fifo() || draws.between(0, 3) > 0;
        let timeout = Duration::from_secs(one_of(&[6, 15, 30, 60, 300]));
        let until = Duration::from_mins(one_of(&[0, 20, 60, 120]));
        // Each try of a message that kills its worker takes a visibility timeout.
        let is_long = timeout > Duration::from_mins(1);
        let max_tries = if is_long { 3 } else { u32::try_from(one_of(&[3, 10])).unwrap_or(10) };
        let (messages, faults) = (draws.fork("messages"), draws.fork("faults"));
        let count = usize::try_from(messages.between(1, 30)).unwrap_or(1);
        let groups = messages.between(1, 4);
        let spread = until.max(Duration::from_mins(1));
        let mut times: Vec<Duration> = (0..count).map(|_| messages.time(Duration::ZERO, spread)).collect();
        if messages.flip() {
            times.fill(Duration::ZERO);
        }
        times.sort_unstable();
        let longest_job = if draws.flip() { timeout } else { timeout / 4 };
        // Healthy jobs that take long, and nothing goes wrong: what is received is worked on.
        let is_steady = source == Source::Polled && draws.between(0, 5) == 0;
        let until = if is_steady { Duration::ZERO } else { until };
        let steady = is_steady.then(|| longest_job.min(timeout.saturating_sub(reserve_of(timeout))));
        let draw = Draw { draws: &messages, groups, timeout, has_store, max_tries, steady };
        let (queue, dead) = (queue_name(source), dead_letter_queue_name(source));
        let targets = [
            (Operation::Invoke, "worker"),
            (Operation::Store, "table"),
            (Operation::Send, dead),
            (Operation::Delete, queue),
            (Operation::ChangeVisibility, queue),
            (Operation::Downstream, "registry"),
        ];
        let mut plan = FaultPlan::draw(&faults, until, &targets);
        plan.outages.extend(long_outage(&faults, source, has_store, until));
        let is_short = source == Source::Handed || source == Source::Polled && draws.between(0, 2) == 0;
        Self {
            seed,
            source,
            has_store,
            timeout,
            concurrency: usize::try_from(one_of(&[1, 2, 10])).unwrap_or(1),
            batch_size: usize::try_from(one_of(&[1, 3, 10])).unwrap_or(10),
            max_concurrency: u32::try_from(draws.between(2, 6)).unwrap_or(2),
            max_tries,
            max_receives: match source {
                // What waits in a group is received once a minute, as long as all that fail before it take.
                Source::Handed => 1_000,
                _ if has_store => 200,
                _ => 60,
            },
            waits_for_answer: draws.between(0, 3) > 0,
            visibility: if is_short { SHORT_VISIBILITY } else { long_visibility(source, timeout) },
            longest_job,
            letters_fill_their_queue: draws.between(0, 4) == 0,
            messages: times.into_iter().enumerate().map(|(number, at)| draw.message(number, at)).collect(),
            faults: FaultPlan { answer_timeout: Some(Duration::from_secs(25)), ..plan },
        }
    }

    /// The queue's name.
    #[must_use]
    pub fn queue_name(&self) -> &'static str {
        queue_name(self.source)
    }

    /// Its dead-letter queue's.
    #[must_use]
    pub fn dead_letter_queue_name(&self) -> &'static str {
        dead_letter_queue_name(self.source)
    }

    /// When the faults end.
    #[must_use]
    pub fn faults_end_at(&self) -> Duration {
        self.faults.until.max(self.messages.iter().map(|message| message.at).max().unwrap_or_default())
    }
}

/// Shorter than most time-outs: what takes longer is kept by its heartbeat.
const SHORT_VISIBILITY: Duration = Duration::from_secs(30);

/// Six times the worker's time-out, as the template has it; behind the poller what that needs.
fn long_visibility(source: Source, timeout: Duration) -> Duration {
    let (poll, event_age, tolerance) = (Duration::from_secs(20), Duration::from_mins(3), Duration::from_secs(20));
    match source {
        Source::Polled => (timeout * 6).max(poll + event_age + timeout + tolerance),
        Source::Mapped | Source::Ordered | Source::Handed => timeout * 6,
    }
}

fn queue_name(source: Source) -> &'static str {
    if source.is_fifo() { "jobs.fifo" } else { "jobs" }
}

fn dead_letter_queue_name(source: Source) -> &'static str {
    if source.is_fifo() { "dead.fifo" } else { "dead" }
}

/// One call that is away for most of the time, where the queue's `maxReceiveCount` allows for it.
fn long_outage(draws: &Stream, source: Source, has_store: bool, until: Duration) -> Option<Outage> {
    let (operation, target, longest) = match draws.between(0, 11) {
        0 if has_store => (Operation::ChangeVisibility, queue_name(source), Duration::from_mins(20)),
        1 | 2 if source == Source::Polled => (Operation::Invoke, "worker", Duration::from_hours(1)),
        _ => return None,
    };
    let is_hung = operation == Operation::ChangeVisibility;
    let fault = if is_hung { Fault::Hung } else { [Fault::Throttled, Fault::Refused][draws.place(2)] };
    Some(Outage { operation, target: Some(target.to_owned()), from: Duration::ZERO, to: until.min(longest), fault })
}

/// What messages are drawn from.
struct Draw<'d> {
    draws: &'d Stream,
    groups: u64,
    timeout: Duration,
    has_store: bool,
    max_tries: u32,
    /// All work succeeds and takes nearly so long.
    steady: Option<Duration>,
}

impl Draw<'_> {
    fn message(&self, number: usize, at: Duration) -> Planned {
        let Self { draws, groups, has_store, .. } = *self;
        let act = self.act();
        // Names are for work that works: a name shared with what is rejected says nothing about either.
        let is_named = has_store && act.is_good() && draws.between(0, 3) == 0;
        Planned {
            number,
            at,
            group: draws.between(1, groups),
            act,
            takes: self.takes(),
            effect: is_named.then(|| draws.between(1, 6)),
            is_blank: draws.between(0, 7) == 0,
            payload: u64::from(draws.between(0, 9) == 0),
            // Sent again within five minutes it is no message; later it is another one.
            deduplication: if draws.flip() {
                draws.between(1, 6)
            } else {
                1_000_000 + u64::try_from(number).unwrap_or(0)
            },
        }
    }

    fn act(&self) -> Act {
        if self.steady.is_some() {
            return Act::Succeed;
        }
        match self.draws.between(0, 29) {
            0 => Act::Reject,
            1 => Act::Fail,
            2 => Act::Panic,
            // Without a store nobody can know what killed a worker.
            3 if self.has_store => Act::Kill,
            4 => Act::Hang,
            5..8 => Act::SucceedAt(u32::try_from(self.draws.between(2, u64::from(self.max_tries) - 1)).unwrap_or(2)),
            8..12 => Act::Call,
            _ => Act::Succeed,
        }
    }

    fn takes(&self) -> Duration {
        let Self { draws, timeout, .. } = *self;
        if let Some(longest) = self.steady {
            return draws.time(longest / 2, longest * 9 / 10);
        }
        match draws.between(0, 19) {
            0..3 => draws.time(Duration::ZERO, timeout / 2),
            // To the end of the time for work, or nearly: as a rule it is done with the next delivery at the latest.
            3 => {
                let ends_at = timeout.saturating_sub(reserve_of(timeout).mul_f64(0.8));
                ends_at.saturating_sub(draws.time(Duration::from_millis(10), Duration::from_millis(200)))
            }
            4..10 => draws.time(Duration::ZERO, Duration::from_secs(3)),
            _ => draws.time(Duration::ZERO, Duration::from_millis(50)),
        }
    }
}
