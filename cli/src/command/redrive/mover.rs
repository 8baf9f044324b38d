//! Moves letters: receives them, chooses those that go, and gives the rest back.

mod carry;

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use anyhow::bail;
use futures::{FutureExt, future::join_all};
use sluicegate::{
    aws::sqs::SqsQueue,
    clock::{Clock, SystemClock},
    delivery::{Invoke, Receive, ReceivingQueue, SourceQueue, call_in_batches},
    events::dispatch::Message,
};
use tokio::time::Instant;

use super::{
    home::{Function, Homes, Stay, Way},
    summary::{Row, Summary},
};
use crate::{
    connection::OpenQueue,
    counters,
    dead_letter::{Kind, Letter, hide, settling},
    filter::Filter,
    output::{Output, Progress},
    stop::Stop,
};

/// Letters that stay are held for so long, and again while the command runs, so that they are not received again and again.
const HOLD: Duration = Duration::from_mins(5);
/// A long poll asks all of SQS's servers.
const WAIT: Duration = Duration::from_secs(2);
/// Calls of a kind at the same time, where neither order nor a rate or a number is asked for: one connection each.
const AT_ONCE: usize = 8;
const BEHIND: &str = "an earlier one of their group stays";
/// Empty polls, or polls that bring nothing new, before no more is looked for. Even a long poll may come back empty, rarely.
const POLLS_IN_VAIN: u32 = 3;

/// Which letters, and how.
#[derive(Debug)]
pub(super) struct Limits {
    /// Of these kinds; of all where none is named.
    pub(super) kinds: Vec<Kind>,
    pub(super) max: Option<u64>,
    /// Messages a second.
    pub(super) rate: Option<u32>,
    pub(super) dry_run: bool,
    pub(super) keep: bool,
    pub(super) invoke: Invoke,
    /// Delete what nobody waits for.
    pub(super) delete_settled: bool,
}

struct Mover<'a> {
    dlq: &'a OpenQueue,
    adapter: SqsQueue,
    homes: Homes,
    filter: &'a Filter,
    limits: Limits,
    output: Output,
    started: SystemTime,
    summary: Summary,
    seen: HashSet<String>,
    /// Message groups of a FIFO queue whose letters stay, since an earlier one does.
    blocked: HashSet<String>,
    stop: Stop,
    /// By message id: the receipt handles of what is given back at the end.
    held: HashMap<String, String>,
    held_until: Instant,
    next_send: Instant,
    progress: Progress,
}

pub(super) async fn run(
    dlq: &OpenQueue,
    to: Option<OpenQueue>,
    function: Option<Function>,
    filter: &Filter,
    limits: Limits,
    output: Output,
) -> anyhow::Result<()> {
    let reading = counters::read(dlq).await?;
    let total = reading.counters.visible.min(limits.max.unwrap_or(u64::MAX));
    let mut mover = Mover {
        dlq,
        adapter: dlq.adapter()?,
        homes: Homes::find(dlq, reading.arn, to, function).await?,
        filter,
        limits,
        output,
        started: SystemClock.now(),
        summary: Summary::default(),
        seen: HashSet::new(),
        blocked: HashSet::new(),
        stop: Stop::listen()?,
        held: HashMap::new(),
        held_until: Instant::now() + HOLD,
        next_send: Instant::now(),
        progress: Progress::new(output, total, "messages"),
    };
    if dlq.queue.is_fifo() && !(filter.takes_all() && mover.limits.kinds.is_empty()) {
        output.note("what does not match holds back what is behind it in its group: this may not reach all");
    }
    let outcome = mover.move_all().await;
    mover.give_back().await;
    let Mover { progress, summary, limits, .. } = mover;
    drop(progress);
    summary.report(&limits, output)?;
    if outcome? {
        bail!("stopped: what was not moved is in {} as before", dlq.queue);
    }
    let staying: u64 = summary.staying.values().sum();
    if staying + summary.not_deleted + summary.not_seen > 0 {
        let both = summary.not_deleted;
        bail!("{} messages are still in {}; {both} are in both queues", staying + summary.not_seen, dlq.queue);
    }
    Ok(())
}

impl Mover<'_> {
    /// Answers whether it was told to stop.
    async fn move_all(&mut self) -> anyhow::Result<bool> {
        let mut in_vain = 0;
        while !self.has_enough() {
            self.hold_on(Duration::ZERO).await;
            let fresh = self.receive().await?;
            in_vain = if fresh.is_empty() { in_vain + 1 } else { 0 };
            if in_vain > 1 {
                let visible = counters::read(self.dlq).await?.counters.visible;
                if visible == 0 || in_vain >= POLLS_IN_VAIN {
                    self.summary.not_seen = visible;
                    break;
                }
            }
            // What is sent must also be deleted: a request to stop is heard between letters.
            if self.send_on(fresh).await? || self.is_stopped() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_stopped(&mut self) -> bool {
        self.stop.requested().now_or_never().is_some()
    }

    fn moved(&self) -> u64 {
        self.summary.moved.values().sum()
    }

    fn has_enough(&self) -> bool {
        self.limits.max.is_some_and(|max| self.moved() >= max)
    }

    /// A rate is kept by one call after the other; what is more than wanted would be hidden for nothing; and order wants
    /// one hand.
    fn at_once(&self) -> usize {
        let is_alone = self.dlq.queue.is_fifo() || self.limits.rate.is_some() || self.limits.max.is_some();
        if is_alone { 1 } else { AT_ONCE }
    }

    /// Letters that were not seen before. A receive that has begun is waited for: what it brings would be hidden for
    /// minutes.
    async fn receive(&mut self) -> anyhow::Result<Vec<Letter>> {
        let rate = self.limits.rate.map_or(10, |rate| usize::try_from(rate).unwrap_or(10));
        let receive = Receive { max_messages: rate.clamp(1, 10), wait: WAIT, visibility: Some(HOLD) };
        self.held_until = self.held_until.min(Instant::now() + HOLD);
        let polls = (0..self.at_once()).map(|_| self.adapter.receive(&self.dlq.queue, &receive));
        let (mut messages, mut refusal) = (Vec::new(), None);
        for polled in join_all(polls).await {
            match polled {
                Ok(polled) => messages.extend(polled),
                Err(error) => refusal = Some(self.dlq.refusal_in_words("sqs:ReceiveMessage", &error.message)),
            }
        }
        let mut fresh = Vec::new();
        for message in messages {
            let Message { message_id: Some(id), receipt_handle: Some(handle), .. } = &message else { continue };
            self.held.insert(id.clone(), handle.clone());
            if self.seen.insert(id.clone()) {
                match Letter::read(message) {
                    Some(letter) => fresh.push(letter),
                    None => *self.summary.staying.entry("they cannot be read".to_owned()).or_default() += 1,
                }
            }
        }
        // What came beside a refusal is held, and given back.
        refusal.map_or(Ok(fresh), Err)
    }

    fn count(&mut self, letter: &Letter, fate: String) {
        let row = Row { kind: letter.origin.kind(), reason: letter.reason(), fate };
        *self.summary.kinds.entry(row).or_default() += 1;
    }

    /// On a FIFO queue those behind it in its group stay too.
    fn stays(&mut self, letter: &Letter, reason: String) {
        self.blocked.extend(letter.record.group_id.clone().filter(|_| self.dlq.queue.is_fifo()));
        self.count(letter, "stays".to_owned());
        *self.summary.staying.entry(reason).or_default() += 1;
    }

    /// The letters that go, with the way of each.
    async fn choose(&mut self, letters: Vec<Letter>) -> Vec<(Letter, Way)> {
        let mut chosen = Vec::new();
        let mut room = self.limits.max.map_or(u64::MAX, |max| max - self.moved());
        let now = SystemClock.now();
        for letter in letters {
            let kinds = &self.limits.kinds;
            let is_of_kind = kinds.is_empty() || kinds.contains(&letter.origin.kind());
            if !is_of_kind || !self.filter.takes(&letter.record, now) {
                self.summary.not_matching += 1;
            } else if letter.record.sent_at.is_some_and(|sent_at| SystemTime::from(sent_at) > self.started) {
                self.summary.younger += 1;
            } else if room > 0 {
                if letter.record.group_id.as_ref().is_some_and(|group| self.blocked.contains(group)) {
                    self.stays(&letter, BEHIND.to_owned());
                    continue;
                }
                match self.homes.of(&letter).await {
                    Ok(way) => {
                        room -= 1;
                        chosen.push((letter, way));
                    }
                    Err(Stay::Refused(reason)) => self.stays(&letter, reason),
                    Err(Stay::Settled(why)) => {
                        self.count(&letter, why.to_owned());
                        *self.summary.settled.entry(why.to_owned()).or_default() += 1;
                        if self.limits.delete_settled && !self.limits.dry_run {
                            let deleted = self.delete(&[&letter]).await;
                            self.summary.deleted += deleted;
                            if deleted == 0 {
                                *self.summary.staying.entry("they could not be deleted".to_owned()).or_default() += 1;
                            }
                        }
                    }
                }
            }
        }
        chosen
    }

    /// How many were.
    async fn delete(&mut self, taken: &[&Letter]) -> u64 {
        let handles: Vec<&str> = taken.iter().map(|letter| letter.record.receipt_handle.as_str()).collect();
        let delete = async |batch: &[&str]| self.adapter.delete(&self.dlq.queue, batch).await;
        let failures = call_in_batches(&handles, |_| 0, settling(), delete).await;
        let mut deleted = 0;
        for (letter, failure) in taken.iter().zip(failures) {
            self.held.remove(&letter.record.message_id);
            match failure {
                None => deleted += 1,
                Some(failure) => {
                    let text = format!("{} was not deleted here: {failure}", letter.record.message_id);
                    self.progress.around(|| self.output.note(&text));
                }
            }
        }
        deleted
    }

    /// Keeps what stays from coming again, in a run that is longer than letters are hidden; at least for so long.
    async fn hold_on(&mut self, at_least: Duration) {
        if Instant::now() + at_least + HOLD / 2 > self.held_until {
            self.held_until = Instant::now() + at_least + HOLD;
            hide(&self.adapter, &self.dlq.queue, self.held.values(), at_least + HOLD).await;
        }
    }

    async fn give_back(&self) {
        let kept = hide(&self.adapter, &self.dlq.queue, self.held.values(), Duration::ZERO).await;
        if kept > 0 {
            self.output.note(&format!("{kept} messages were not given back: they are visible again in a few minutes"));
        }
    }
}
