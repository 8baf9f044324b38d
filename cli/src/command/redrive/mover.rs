//! Moves letters: receives them, sends them on, deletes what was taken and gives the rest back.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, SystemTime},
};

use anyhow::bail;
use serde::Serialize;
use serde_json::json;
use sluicegate::{
    aws::sqs::SqsQueue,
    clock::{Clock, SystemClock},
    delivery::{Attempts, Failure, Receive, ReceivingQueue, SourceQueue, VisibilityChange, call_in_batches},
    events::dispatch::Message,
};
use tokio::time::{Instant, sleep_until};

use super::{
    letter::{Letter, rounds},
    target::Targets,
};
use crate::{
    batch::{Batch, deliver},
    connection::OpenQueue,
    counters,
    filter::Filter,
    message,
    outgoing::{LIMITS, SqsPort, TRIES},
    output::{Output, Progress},
    stop::Stop,
};

/// Letters that stay are held for so long, and again while the command runs, so that they are not received again and again.
const HOLD: Duration = Duration::from_mins(5);
/// A long poll asks all of SQS's servers.
const WAIT: Duration = Duration::from_secs(2);
/// Empty polls, or polls that bring nothing new, before no more is looked for. Even a long poll may come back empty, rarely.
const POLLS_IN_VAIN: u32 = 3;
/// Ten calls.
const AT_ONCE: usize = 100;
/// To delete what was sent, and to give back so many at once of what was not.
const SETTLING: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max: Option<u64>,
    /// Messages a second.
    pub(super) rate: Option<u32>,
    pub(super) dry_run: bool,
    pub(super) keep: bool,
}

/// What became of the letters.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Sent and deleted, or what would be; by queue.
    moved: BTreeMap<String, u64>,
    /// Looked at and left.
    not_matching: u64,
    /// Sent here since the command began, and left: they may have been moved by it already.
    younger: u64,
    /// Left, by reason: their queue is not known, or did not take them.
    staying: BTreeMap<String, u64>,
    /// In both queues now.
    not_deleted: u64,
    /// Visible, and not looked at.
    not_seen: u64,
}

struct Mover<'a> {
    dlq: &'a OpenQueue,
    adapter: SqsQueue,
    targets: Targets,
    filter: &'a Filter,
    limits: Limits,
    output: Output,
    started: SystemTime,
    summary: Summary,
    seen: HashSet<String>,
    /// By message id: the receipt handles of what is given back at the end.
    held: HashMap<String, String>,
    held_until: Instant,
    next_send: Instant,
    progress: Progress,
}

pub(super) async fn run(
    dlq: &OpenQueue,
    to: Option<OpenQueue>,
    filter: &Filter,
    limits: Limits,
    output: Output,
) -> anyhow::Result<()> {
    let reading = counters::read(dlq).await?;
    let total = reading.counters.visible.min(limits.max.unwrap_or(u64::MAX));
    let mut mover = Mover {
        dlq,
        adapter: dlq.adapter()?,
        targets: Targets::find(dlq, reading.arn, to).await?,
        filter,
        limits,
        output,
        started: SystemClock.now(),
        summary: Summary::default(),
        seen: HashSet::new(),
        held: HashMap::new(),
        held_until: Instant::now() + HOLD,
        next_send: Instant::now(),
        progress: Progress::new(output, total, "messages"),
    };
    if dlq.queue.is_fifo() && !filter.takes_all() {
        output.note("what does not match holds back what is behind it in its group: this may not reach all");
    }
    let mut stop = Stop::listen()?;
    let outcome = mover.move_all(&mut stop).await;
    mover.give_back().await;
    let Mover { progress, summary, .. } = mover;
    drop(progress);
    report(&summary, limits, output)?;
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
    async fn move_all(&mut self, stop: &mut Stop) -> anyhow::Result<bool> {
        let mut in_vain = 0;
        while !self.has_enough() {
            self.hold_on().await;
            let fresh = self.receive().await?;
            in_vain = if fresh.is_empty() { in_vain + 1 } else { 0 };
            if in_vain > 1 {
                let visible = counters::read(self.dlq).await?.counters.visible;
                if visible == 0 || in_vain >= POLLS_IN_VAIN {
                    self.summary.not_seen = visible;
                    break;
                }
            }
            let mut sending = Box::pin(self.send_on(fresh));
            let is_stopped = tokio::select! {
                outcome = &mut sending => {
                    outcome?;
                    false
                }
                () = stop.requested() => true,
            };
            if is_stopped {
                // What is sent must also be deleted.
                sending.await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn moved(&self) -> u64 {
        self.summary.moved.values().sum()
    }

    fn has_enough(&self) -> bool {
        self.limits.max.is_some_and(|max| self.moved() >= max)
    }

    /// Letters that were not seen before. A receive that has begun is waited for: what it brings would be hidden for
    /// minutes.
    async fn receive(&mut self) -> anyhow::Result<Vec<Letter>> {
        let rate = self.limits.rate.map_or(10, |rate| usize::try_from(rate).unwrap_or(10));
        let receive = Receive { max_messages: rate.clamp(1, 10), wait: WAIT, visibility: Some(HOLD) };
        let messages = self.adapter.receive(&self.dlq.queue, &receive).await;
        let messages = messages.map_err(|error| self.dlq.refusal_in_words("sqs:ReceiveMessage", &error.message))?;
        let mut fresh = Vec::new();
        for message in messages {
            let Message { message_id: Some(id), receipt_handle: Some(handle), .. } = &message else { continue };
            self.held.insert(id.clone(), handle.clone());
            if self.seen.insert(id.clone()) {
                match Letter::read(message) {
                    Some(letter) => fresh.push(letter),
                    None => self.stays("they cannot be read".to_owned(), 1),
                }
            }
        }
        Ok(fresh)
    }

    fn stays(&mut self, reason: String, count: u64) {
        *self.summary.staying.entry(reason).or_default() += count;
    }

    /// The letters that go, by queue.
    async fn choose(&mut self, letters: Vec<Letter>) -> Vec<(OpenQueue, Vec<Letter>)> {
        let mut chosen: Vec<(OpenQueue, Vec<Letter>)> = Vec::new();
        let mut room = self.limits.max.map_or(u64::MAX, |max| max - self.moved());
        let now = SystemClock.now();
        for letter in letters {
            if !self.filter.takes(&letter.record, now) {
                self.summary.not_matching += 1;
            } else if letter.record.sent_at.is_some_and(|sent_at| SystemTime::from(sent_at) > self.started) {
                self.summary.younger += 1;
            } else if room > 0 {
                match self.targets.of(&letter).await {
                    Err(reason) => self.stays(reason, 1),
                    Ok(target) => {
                        room -= 1;
                        match chosen.iter_mut().find(|(other, _)| other.queue == target.queue) {
                            Some((_, letters)) => letters.push(letter),
                            None => chosen.push((target, vec![letter])),
                        }
                    }
                }
            }
        }
        chosen
    }

    async fn send_on(&mut self, letters: Vec<Letter>) -> anyhow::Result<()> {
        for (target, letters) in self.choose(letters).await {
            if self.limits.dry_run {
                letters.iter().try_for_each(|letter| self.say_would(&target, letter))?;
                *self.summary.moved.entry(target.queue.name().to_owned()).or_default() += letters.len() as u64;
                continue;
            }
            let is_fifo = target.queue.is_fifo();
            let groups: Vec<Option<&str>> = letters.iter().map(|letter| letter.record.group_id.as_deref()).collect();
            let mut blocked: HashSet<&str> = HashSet::new();
            for round in rounds(&groups, is_fifo) {
                let is_open = |index: &usize| groups[*index].is_none_or(|group| !blocked.contains(group));
                let (open, behind): (Vec<usize>, Vec<usize>) = round.into_iter().partition(is_open);
                if !behind.is_empty() {
                    self.stays("an earlier one of their group stays".to_owned(), behind.len() as u64);
                }
                let open: Vec<&Letter> = open.into_iter().map(|index| &letters[index]).collect();
                for failed in self.send_round(&target, &open).await? {
                    blocked.extend(failed.record.group_id.as_deref().filter(|_| is_fifo));
                }
            }
        }
        Ok(())
    }

    /// Sends, deletes what was taken, and answers what was not.
    async fn send_round<'r>(&mut self, target: &OpenQueue, round: &[&'r Letter]) -> anyhow::Result<Vec<&'r Letter>> {
        let from = self.dlq.queue.name();
        let outgoing = round.iter().map(|letter| letter.redriven(from, target.queue.is_fifo()));
        let (mut failed, mut first) = (Vec::new(), 0);
        for batch in Batch::all(outgoing, LIMITS) {
            let letters = &round[first..first + batch.len()];
            first += batch.len();
            self.keep_the_pace(batch.len()).await;
            let results = match deliver(&SqsPort(target), &batch, TRIES).await {
                Ok(delivered) => delivered.results,
                Err(error) => {
                    // About the queue, not about these: the letters of others go on.
                    let reason = format!("{error:#}");
                    self.targets.refuse(target, &reason);
                    batch.iter().map(|_| Err(Failure::Refused(reason.clone()))).collect()
                }
            };
            let mut taken = Vec::new();
            for (letter, result) in letters.iter().copied().zip(results) {
                match result {
                    Ok(sent) => {
                        if self.output.is_json() {
                            self.output.json(&json!({ "messageId": letter.record.message_id,
                                "newMessageId": sent.message_id, "to": target.queue.name() }))?;
                        }
                        taken.push(letter);
                    }
                    Err(failure) => {
                        self.stays(format!("{} did not take them: {failure}", target.queue), 1);
                        failed.push(letter);
                    }
                }
            }
            *self.summary.moved.entry(target.queue.name().to_owned()).or_default() += taken.len() as u64;
            self.progress.add(taken.len() as u64);
            if !self.limits.keep {
                self.delete(&taken).await;
            }
        }
        Ok(failed)
    }

    async fn keep_the_pace(&mut self, messages: usize) {
        let Some(rate) = self.limits.rate else { return };
        sleep_until(self.next_send).await;
        let time = Duration::from_secs_f64(f64::from(u32::try_from(messages).unwrap_or(10)) / f64::from(rate));
        self.next_send = self.next_send.max(Instant::now()) + time;
    }

    async fn delete(&mut self, taken: &[&Letter]) {
        let handles: Vec<&str> = taken.iter().map(|letter| letter.record.receipt_handle.as_str()).collect();
        let delete = async |batch: &[&str]| self.adapter.delete(&self.dlq.queue, batch).await;
        let failures = call_in_batches(&handles, |_| 0, settling(), delete).await;
        for (letter, failure) in taken.iter().zip(failures) {
            self.held.remove(&letter.record.message_id);
            if let Some(failure) = failure {
                self.summary.not_deleted += 1;
                let text = format!("{} was sent on but not deleted: {failure}", letter.record.message_id);
                self.progress.around(|| self.output.note(&text));
            }
        }
    }

    fn say_would(&self, target: &OpenQueue, letter: &Letter) -> anyhow::Result<()> {
        let (record, reason) = (&letter.record, letter.reason());
        let mut value = serde_json::to_value(message::json(record, SystemClock.now()))?;
        value["to"] = json!(target.queue.name());
        let text = || {
            let [id, body] = [&record.message_id, &record.body].map(|part| self.output.shown(part));
            let reason = self.output.shown(reason.unwrap_or("-"));
            format!("{id}  to {}  ({reason})  {body}", target.queue)
        };
        self.progress.around(|| self.output.result(text, &value))
    }

    /// Keeps what stays from coming again, in a run that is longer than letters are hidden.
    async fn hold_on(&mut self) {
        if Instant::now() + HOLD / 2 > self.held_until {
            self.held_until = Instant::now() + HOLD;
            self.hide(HOLD).await;
        }
    }

    async fn give_back(&self) {
        let kept = self.hide(Duration::ZERO).await;
        if kept > 0 {
            self.output.note(&format!("{kept} messages were not given back: they are visible again in a few minutes"));
        }
    }

    /// Says for how many it did not work. Whatever their number, each has the same time; where the queue does not answer at
    /// all, no more are tried.
    async fn hide(&self, timeout: Duration) -> usize {
        let change = |receipt_handle| VisibilityChange { receipt_handle, timeout };
        let changes: Vec<VisibilityChange<'_>> = self.held.values().map(String::as_str).map(change).collect();
        let change = async |batch: &[_]| self.adapter.change_visibility(&self.dlq.queue, batch).await;
        let (mut kept, mut left) = (0, changes.len());
        for some in changes.chunks(AT_ONCE) {
            let failed = call_in_batches(some, |_| 0, settling(), change).await.iter().flatten().count();
            kept += failed;
            left -= some.len();
            if failed == some.len() {
                return kept + left;
            }
        }
        kept
    }
}

fn settling() -> Attempts {
    Attempts { each: SETTLING / 4, until: Instant::now() + SETTLING }
}

fn report(summary: &Summary, limits: Limits, output: Output) -> anyhow::Result<()> {
    for (reason, count) in &summary.staying {
        output.note(&format!("{count} stay, as {reason}: add --to QUEUE to send them elsewhere"));
    }
    if summary.not_seen > 0 {
        output.note(&format!("about {} are visible and were not received: run it again", summary.not_seen));
    }
    let text = || {
        let total: u64 = summary.moved.values().sum();
        let queues: Vec<String> = summary.moved.iter().map(|(queue, count)| format!("{count} to {queue}")).collect();
        let colon = if queues.is_empty() { "" } else { ": " };
        let deed = match limits {
            Limits { dry_run: true, .. } => "would be moved",
            Limits { keep: true, .. } => "copied",
            _ => "moved",
        };
        let besides = [(summary.not_matching, "did not match"), (summary.younger, "came since, and stay")];
        let besides = besides.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("; {count} {what}"));
        format!("{total} messages {deed}{colon}{}{}", queues.join(", "), besides.collect::<String>())
    };
    output.result(text, &json!({ "summary": summary }))
}
