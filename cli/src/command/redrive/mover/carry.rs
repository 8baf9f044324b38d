//! What becomes of the letters of one receive: sent on or given to a function, and deleted here once taken.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{Failure, InvokeError},
};
use tokio::time::{Instant, sleep_until};

use super::{
    super::home::{Function, Way},
    BEHIND, Mover,
};
use crate::{
    batch::{Batch, deliver},
    connection::OpenQueue,
    dead_letter::{Letter, rounds},
    message,
    outgoing::{LIMITS, Outgoing, SqsPort, TRIES},
};

impl Mover<'_> {
    /// Answers whether it was told to stop.
    pub(super) async fn send_on(&mut self, letters: Vec<Letter>) -> anyhow::Result<bool> {
        let mut by_queue: Vec<(OpenQueue, Vec<(Letter, Outgoing)>)> = Vec::new();
        let mut invocations = Vec::new();
        for (letter, way) in self.choose(letters).await {
            if self.limits.dry_run {
                self.say_would(&way, &letter)?;
                self.count(&letter, format!("to {}", way.name()));
                *self.summary.moved.entry(way.name()).or_default() += 1;
                continue;
            }
            match way {
                Way::Invoke { function, event } => invocations.push((letter, function, event)),
                Way::Send { to, message } => match by_queue.iter_mut().find(|(other, _)| other.queue == to.queue) {
                    Some((_, letters)) => letters.push((letter, message)),
                    None => by_queue.push((to, vec![(letter, message)])),
                },
            }
        }
        for (to, letters) in by_queue {
            let groups: Vec<Option<&str>> =
                letters.iter().map(|(letter, _)| letter.record.group_id.as_deref()).collect();
            for round in rounds(&groups, to.queue.is_fifo()) {
                let is_open = |index: &usize| groups[*index].is_none_or(|group| !self.blocked.contains(group));
                let (open, behind): (Vec<usize>, Vec<usize>) = round.into_iter().partition(is_open);
                for index in behind {
                    self.stays(&letters[index].0, BEHIND.to_owned());
                }
                self.send_round(&to, &open.into_iter().map(|index| &letters[index]).collect::<Vec<_>>()).await?;
            }
        }
        for (letter, function, event) in invocations {
            if self.is_stopped() {
                return Ok(true);
            }
            self.invoke(&letter, &function, &event).await?;
        }
        Ok(false)
    }

    /// Sends, and deletes what was taken. No two of a round are of one message group.
    async fn send_round(&mut self, to: &OpenQueue, round: &[&(Letter, Outgoing)]) -> anyhow::Result<()> {
        let batches = Batch::all(round.iter().map(|(_, message)| message.clone()), LIMITS);
        let mut letters = round.iter().map(|(letter, _)| letter);
        for at_once in batches.chunks(self.at_once()) {
            self.keep_the_pace(at_once.iter().map(Vec::len).sum()).await;
            let port = SqsPort(to);
            let delivered = join_all(at_once.iter().map(|batch| deliver(&port, batch, TRIES))).await;
            let mut taken = Vec::new();
            for (batch, delivered) in at_once.iter().zip(delivered) {
                let results = match delivered {
                    Ok(delivered) => delivered.results,
                    Err(error) => {
                        // About the queue, not about these: the letters of others go on.
                        let reason = format!("{error:#}");
                        self.homes.refuse(to.queue.name().to_owned(), &reason);
                        batch.iter().map(|_| Err(Failure::Refused(reason.clone()))).collect()
                    }
                };
                for (result, letter) in results.into_iter().zip(letters.by_ref()) {
                    match result {
                        Ok(sent) => {
                            self.say_moved(letter, to.queue.name(), Some(&sent.message_id))?;
                            taken.push(letter);
                        }
                        Err(failure) => {
                            self.blocked.extend(letter.record.group_id.clone().filter(|_| to.queue.is_fifo()));
                            self.stays(letter, format!("{} did not take them: {failure}", to.queue));
                        }
                    }
                }
            }
            self.delete_moved(&taken).await;
        }
        Ok(())
    }

    /// Invokes, and deletes the letter when that is done.
    async fn invoke(&mut self, letter: &Letter, function: &Function, event: &str) -> anyhow::Result<()> {
        self.keep_the_pace(1).await;
        self.hold_on(function.limit).await;
        let name = format!("function {}", function.name());
        match function.invoke(event, self.limits.invoke).await {
            Ok(()) => {
                self.say_moved(letter, &name, None)?;
                self.delete_moved(&[letter]).await;
            }
            Err(failure) => {
                if let InvokeError::Refused(reason) = &failure {
                    self.homes.refuse(name.clone(), &format!("{name} did not take them: {reason}"));
                }
                self.stays(letter, format!("{name} did not take them: {failure}"));
            }
        }
        Ok(())
    }

    fn say_moved(&mut self, letter: &Letter, to: &str, new_id: Option<&str>) -> anyhow::Result<()> {
        self.count(letter, format!("to {to}"));
        *self.summary.moved.entry(to.to_owned()).or_default() += 1;
        if self.output.is_json() {
            let id = &letter.record.message_id;
            self.output.json(&json!({ "messageId": id, "newMessageId": new_id, "to": to }))?;
        }
        Ok(())
    }

    async fn delete_moved(&mut self, moved: &[&Letter]) {
        self.progress.add(moved.len() as u64);
        if !self.limits.keep {
            let deleted = self.delete(moved).await;
            self.summary.not_deleted += moved.len() as u64 - deleted;
        }
    }

    async fn keep_the_pace(&mut self, messages: usize) {
        let Some(rate) = self.limits.rate else { return };
        sleep_until(self.next_send).await;
        let time = Duration::from_secs_f64(f64::from(u32::try_from(messages).unwrap_or(10)) / f64::from(rate));
        self.next_send = self.next_send.max(Instant::now()) + time;
    }

    fn say_would(&self, way: &Way, letter: &Letter) -> anyhow::Result<()> {
        let (record, reason) = (&letter.record, letter.reason());
        let mut value = serde_json::to_value(message::json(record, SystemClock.now()))?;
        value["to"] = json!(way.name());
        value["kind"] = json!(letter.origin.kind());
        let text = || {
            let [id, body, reason] = [&record.message_id, &record.body, &reason].map(|part| self.output.shown(part));
            format!("{id}  to {}  ({reason})  {body}", way.name())
        };
        self.progress.around(|| self.output.result(text, &value))
    }
}
