//! Moves letters: receives them, sends them on, deletes what was taken and gives the rest back.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use serde::Serialize;
use serde_json::json;
use sluicegate::{
    aws::sqs::SqsQueue,
    delivery::{Attempts, Failure, REASON, Receive, ReceivingQueue, SourceQueue, VisibilityChange, call_in_batches},
    events::Record,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    letter::{Choice, redriven, rounds},
    target::Targets,
};
use crate::{
    command::queue::counters,
    connection::OpenQueue,
    outgoing::{Outgoing, SqsPort, batches, deliver},
    output::{Output, Progress},
    stop::Stop,
};

/// Letters that do not match are held for so long, so that they are not received again and again in one run.
const HOLD: Duration = Duration::from_mins(5);
/// A long poll asks all of SQS's servers: what it does not find is not there.
const WAIT: Duration = Duration::from_secs(2);
/// Receives in a row that bring nothing new, before all has been seen.
const ROUNDS_IN_VAIN: u32 = 3;
const DELETE_CALLS: u32 = 4;
const HANDING_BACK: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max: Option<u64>,
    /// Messages a second.
    pub(super) rate: Option<u32>,
    pub(super) dry_run: bool,
}

/// What became of the letters.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Sent and deleted, or what would be; by queue.
    moved: BTreeMap<String, u64>,
    /// Looked at and left.
    not_matching: u64,
    /// Left, as their queue is not known.
    unknown_target: u64,
    /// Left, as the other queue did not take them.
    not_sent: u64,
    /// In both queues now.
    not_deleted: u64,
}

struct Mover<'a> {
    dlq: &'a OpenQueue,
    adapter: SqsQueue,
    targets: Targets,
    choice: &'a Choice,
    limits: Limits,
    output: Output,
    summary: Summary,
    seen: HashSet<String>,
    /// By message id: the receipt handles of what is given back at the end.
    held: HashMap<String, String>,
    next_send: Instant,
    progress: Progress,
}

pub(super) async fn run(
    dlq: &OpenQueue,
    targets: Targets,
    choice: &Choice,
    limits: Limits,
    output: Output,
) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let total = counters::read(dlq).await?.counters.visible;
    let mut mover = Mover {
        dlq,
        adapter: dlq.adapter()?,
        targets,
        choice,
        limits,
        output,
        summary: Summary::default(),
        seen: HashSet::new(),
        held: HashMap::new(),
        next_send: Instant::now(),
        progress: Progress::new(output, total.min(limits.max.unwrap_or(u64::MAX)), "messages"),
    };
    if dlq.queue.is_fifo() && !choice.takes_all() {
        output.note("what does not match holds back what is behind it in its group: this may not reach all");
    }
    let outcome = mover.move_all(&mut stop).await;
    mover.give_back().await;
    drop(mover.progress);
    report(&mover.summary, limits.dry_run, output)?;
    let is_stopped = outcome?;
    let Summary { unknown_target, not_sent, not_deleted, .. } = mover.summary;
    if is_stopped {
        anyhow::bail!("told to stop: what was not moved is in {} as before", dlq.queue);
    }
    if not_sent + not_deleted > 0 {
        anyhow::bail!(
            "{not_sent} messages were not taken and are still in {}; {not_deleted} are in both queues",
            dlq.queue
        );
    }
    if unknown_target > 0 {
        anyhow::bail!(mover.targets.unknown(unknown_target));
    }
    Ok(())
}

impl Mover<'_> {
    /// Answers whether it was told to stop.
    async fn move_all(&mut self, stop: &mut Stop) -> anyhow::Result<bool> {
        let mut in_vain = 0;
        while in_vain < ROUNDS_IN_VAIN && !self.has_enough() {
            let receive = Receive { max_messages: self.ask(), wait: WAIT, visibility: Some(HOLD) };
            // A receive that has begun is waited for: what it brings would be hidden for minutes.
            let messages = self.adapter.receive(&self.dlq.queue, &receive).await;
            let messages = messages.map_err(|error| {
                anyhow::anyhow!("messages of {} cannot be received: {}", self.dlq.queue, error.message)
            })?;
            if messages.is_empty() {
                break;
            }
            let mut fresh = Vec::new();
            for message in messages {
                let (id, handle) = (message.message_id.clone(), message.receipt_handle.clone());
                let (Some(id), Some(handle)) = (id, handle) else { continue };
                self.held.insert(id.clone(), handle);
                if self.seen.insert(id) {
                    fresh.push(message);
                }
            }
            in_vain = if fresh.is_empty() { in_vain + 1 } else { 0 };
            // One that cannot be read cannot be sent on as it was: it stays.
            let records = fresh.into_iter().filter_map(|message| Record::try_from(message).ok());
            let chosen = self.choose(records.collect()).await?;
            let mut sending = Box::pin(self.send_on(chosen));
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

    fn has_enough(&self) -> bool {
        self.limits.max.is_some_and(|max| self.summary.moved.values().sum::<u64>() >= max)
    }

    fn ask(&self) -> usize {
        let rate = self.limits.rate.map_or(10, |rate| usize::try_from(rate).unwrap_or(10));
        rate.clamp(1, 10)
    }

    /// The letters that go, by queue.
    async fn choose(&mut self, records: Vec<Record>) -> anyhow::Result<Vec<(OpenQueue, Vec<Record>)>> {
        let mut chosen: Vec<(OpenQueue, Vec<Record>)> = Vec::new();
        let moved: u64 = self.summary.moved.values().sum();
        let mut room = self.limits.max.map_or(u64::MAX, |max| max - moved);
        for record in records {
            if !self.choice.takes(&record) {
                self.summary.not_matching += 1;
                continue;
            }
            if room == 0 {
                continue;
            }
            let Some(target) = self.targets.of(&record).await? else {
                self.summary.unknown_target += 1;
                continue;
            };
            room -= 1;
            match chosen.iter_mut().find(|(other, _)| other.queue == target.queue) {
                Some((_, records)) => records.push(record),
                None => chosen.push((target, vec![record])),
            }
        }
        Ok(chosen)
    }

    async fn send_on(&mut self, chosen: Vec<(OpenQueue, Vec<Record>)>) -> anyhow::Result<()> {
        for (target, records) in chosen {
            if self.limits.dry_run {
                self.say_would(&target, &records)?;
                *self.summary.moved.entry(target.queue.name().to_owned()).or_default() += records.len() as u64;
                continue;
            }
            let is_fifo = target.queue.is_fifo();
            let groups: Vec<Option<&str>> = records.iter().map(|record| record.group_id.as_deref()).collect();
            let mut blocked: HashSet<&str> = HashSet::new();
            for round in rounds(&groups, is_fifo) {
                let round: Vec<&Record> = round.into_iter().map(|index| &records[index]).collect();
                let is_open =
                    |record: &&Record| !record.group_id.as_deref().is_some_and(|group| blocked.contains(group));
                let round: Vec<&Record> = round.into_iter().filter(is_open).collect();
                for failed in self.send_round(&target, &round).await? {
                    blocked.extend(failed.group_id.as_deref().filter(|_| is_fifo));
                }
            }
        }
        Ok(())
    }

    /// Sends, deletes what was taken, and answers what was not.
    async fn send_round<'r>(&mut self, target: &OpenQueue, round: &[&'r Record]) -> anyhow::Result<Vec<&'r Record>> {
        let from = self.dlq.queue.name();
        let outgoing: Vec<Outgoing> =
            round.iter().map(|record| redriven(record, from, target.queue.is_fifo())).collect();
        let mut failed = Vec::new();
        for batch in batches(&outgoing) {
            self.keep_the_pace(batch.len()).await;
            let results = deliver(&SqsPort(target), &outgoing[batch.clone()]).await?;
            let mut taken = Vec::new();
            for (record, result) in round[batch].iter().zip(results) {
                match result {
                    Ok(_) => taken.push(*record),
                    Err(failure) => {
                        self.summary.not_sent += 1;
                        self.note(&format!("{} was not taken by {}: {failure}", record.message_id, target.queue));
                        failed.push(*record);
                    }
                }
            }
            *self.summary.moved.entry(target.queue.name().to_owned()).or_default() += taken.len() as u64;
            self.delete(&taken).await;
        }
        Ok(failed)
    }

    async fn keep_the_pace(&mut self, messages: usize) {
        let Some(rate) = self.limits.rate else { return };
        sleep_until(self.next_send).await;
        let time = Duration::from_secs_f64(f64::from(u32::try_from(messages).unwrap_or(10)) / f64::from(rate));
        self.next_send = self.next_send.max(Instant::now()) + time;
    }

    async fn delete(&mut self, taken: &[&Record]) {
        let mut open: Vec<&Record> = taken.to_vec();
        for call in 1..=DELETE_CALLS {
            let handles: Vec<&str> = open.iter().map(|record| record.receipt_handle.as_str()).collect();
            if handles.is_empty() {
                break;
            }
            let is_last = call == DELETE_CALLS;
            let mut again = Vec::new();
            match self.adapter.delete(&self.dlq.queue, &handles).await {
                Ok(failed) => {
                    for entry in failed {
                        match entry.failure {
                            Failure::Transient(_) if !is_last => again.push(open[entry.index]),
                            failure => self.not_deleted(open[entry.index], &failure),
                        }
                    }
                }
                Err(error) if error.is_transient && !is_last => again.clone_from(&open),
                Err(error) => {
                    let failure = Failure::from(error);
                    for record in &open {
                        self.not_deleted(record, &failure);
                    }
                }
            }
            if !again.is_empty() {
                sleep(Duration::from_millis(100) * call).await;
            }
            open = again;
        }
        for record in taken {
            self.held.remove(&record.message_id);
        }
        self.progress.add(taken.len() as u64);
    }

    fn not_deleted(&mut self, record: &Record, failure: &Failure) {
        self.summary.not_deleted += 1;
        self.note(&format!("{} was sent on but not deleted: {failure}", record.message_id));
    }

    fn note(&self, text: &str) {
        self.progress.around(|| self.output.note(text));
    }

    fn say_would(&self, target: &OpenQueue, records: &[Record]) -> anyhow::Result<()> {
        for record in records {
            let reason = record.attributes.get(REASON).and_then(|attribute| attribute.as_text());
            let value = json!({ "messageId": record.message_id, "to": target.queue.name(), "reason": reason,
                "body": record.body });
            let text = || {
                let [id, body] = [&record.message_id, &record.body].map(|part| self.output.shown(part));
                let reason = self.output.shown(reason.unwrap_or("-"));
                format!("{id}  to {}  ({reason})  {body}", target.queue)
            };
            self.progress.around(|| self.output.result(text, &value))?;
        }
        Ok(())
    }

    async fn give_back(&self) {
        let visible = |handle| VisibilityChange { receipt_handle: handle, timeout: Duration::ZERO };
        let changes: Vec<VisibilityChange<'_>> = self.held.values().map(String::as_str).map(visible).collect();
        let attempts = Attempts { each: HANDING_BACK / 4, until: Instant::now() + HANDING_BACK };
        let change = async |batch: &[_]| self.adapter.change_visibility(&self.dlq.queue, batch).await;
        let failures = call_in_batches(&changes, |_| 0, attempts, change).await;
        let kept = failures.iter().flatten().count();
        if kept > 0 {
            self.output.note(&format!("{kept} messages were not given back: they are visible again in a few minutes"));
        }
    }
}

fn report(summary: &Summary, dry_run: bool, output: Output) -> anyhow::Result<()> {
    let text = || {
        let total: u64 = summary.moved.values().sum();
        let queues: Vec<String> = summary.moved.iter().map(|(queue, count)| format!("{count} to {queue}")).collect();
        let colon = if queues.is_empty() { "" } else { ": " };
        let deed = if dry_run { "would be moved" } else { "moved" };
        let rest = summary.not_matching;
        let rest = if rest > 0 { format!("; {rest} did not match") } else { String::new() };
        format!("{total} messages {deed}{colon}{}{rest}", queues.join(", "))
    };
    output.result(text, summary)
}
