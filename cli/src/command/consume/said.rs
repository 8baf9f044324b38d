//! What is said of messages, to people or as JSON.

use std::time::Duration;

use serde_json::json;
use sluicegate::{
    consumer::Observer,
    delivery::{Delivery, Fate},
    events::Record,
};

use crate::{message, output::Output};

/// Says what became of each message.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) output: Output,
    /// Whether a line a message is printed by the work itself.
    pub(super) is_printed: bool,
}

impl Observer for Said {
    fn settled(&self, delivery: &Delivery) {
        match &delivery.record {
            // Whether anybody reads it does not matter.
            Ok(record) => drop(self.say(record, delivery)),
            Err(record) => self.output.note(&format!("{}: cannot be read: {}", record.message_id, record.problem)),
        }
    }

    fn paused(&self, pause: Duration, problem: &str) {
        self.output.note(&format!("cannot receive at the moment, trying again in {pause:?}: {problem}"));
    }
}

impl Said {
    fn say(&self, record: &Record, delivery: &Delivery) -> anyhow::Result<()> {
        let (fate, is_deleted) = (&delivery.fate, !delivery.is_not_deleted());
        let reason = fate.error().map(ToString::to_string);
        if self.output.is_json() && !self.is_printed {
            return self.output.json(&json!({
                "messageId": record.message_id,
                "fate": fate.as_str(),
                "reason": reason,
                "receiveCount": record.receive_count,
                "durationMs": u64::try_from(delivery.duration.as_millis()).unwrap_or(u64::MAX),
                "retryAfterSeconds": delivery.delay.map(|delay| delay.as_secs()),
                "deleted": fate.is_final() && is_deleted,
            }));
        }
        let id = &record.message_id;
        if matches!(fate, Fate::Waiting(_)) {
            // The summary counts them.
        } else if let Some(reason) = reason {
            let after = delivery.delay.map(|delay| format!(" after {} s", delay.as_secs())).unwrap_or_default();
            let receive = message::receive(record);
            self.output.note(&format!("{id}: {}{after} (receive {receive}): {reason}", fate.as_str()));
        } else if !is_deleted {
            self.output.note(&format!("{id}: done, but not deleted: it will come again"));
        } else if matches!(fate, Fate::Abandoned) {
            self.output.note(&format!("{id}: abandoned: another consumer may have it"));
        }
        Ok(())
    }
}
