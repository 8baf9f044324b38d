//! What a history says of each message.

use std::{collections::BTreeMap, time::Duration};

use sluicegate::testing::{End, Event, StoreStep, What, Work};

use crate::{job::Body, life::Lived, scenario::Planned};

/// What is known of one message. Times are places in the history.
#[derive(Debug)]
pub(super) struct Told<'h> {
    pub(super) planned: &'h Planned,
    /// Empty where the queue dropped it as a duplicate.
    pub(super) id: String,
    pub(super) receives: u32,
    pub(super) began_at: Vec<usize>,
    /// Where a try ended that failed, or was stopped.
    pub(super) failed_at: Vec<usize>,
    /// Where a suspect's try was counted ahead, and its process died before the work began.
    pub(super) died_at: Vec<usize>,
    pub(super) succeeded_at: Option<usize>,
    pub(super) deleted_at: Option<usize>,
    /// When the dead-letter queue had it.
    pub(super) dead_at: Option<usize>,
    /// Whether it is there as it was sent.
    pub(super) is_whole: bool,
    pub(super) is_expired: bool,
    is_in_queue: bool,
}

impl Told<'_> {
    /// Gone, and nobody has it.
    pub(super) fn is_lost(&self) -> bool {
        !self.id.is_empty() && !self.is_in_queue && self.deleted_at.is_none() && self.dead_at.is_none()
    }

    /// Tries that had ended in vain by then, and those that nobody saw the end of.
    pub(super) fn tries_until(&self, time: usize) -> usize {
        self.began_at.iter().chain(&self.died_at).filter(|began| **began < time).count()
    }

    /// From the end of the first failed try to that of the last.
    pub(super) fn first_to_last_try(&self, history: &[Event]) -> Duration {
        let times = || self.failed_at.iter().chain(&self.began_at).map(|place| history[*place].at);
        let last = self.dead_at.map(|place| history[place].at).or_else(|| times().max()).unwrap_or_default();
        last.saturating_sub(times().min().unwrap_or_default())
    }
}

/// What is known of all.
#[derive(Debug)]
pub(super) struct Facts<'h> {
    /// In the order of sending.
    pub(super) messages: Vec<Told<'h>>,
    /// When an effect was recorded as done, by the name that the business gave it.
    recorded_effects: BTreeMap<u64, usize>,
    /// The same by message.
    recorded_messages: BTreeMap<String, usize>,
}

impl<'h> Facts<'h> {
    pub(super) fn of(lived: &'h Lived) -> Self {
        let messages = lived.scenario.messages.iter().zip(&lived.ids);
        let mut facts = Self {
            messages: messages.map(|(planned, id)| told(lived, planned, id)).collect(),
            recorded_effects: BTreeMap::new(),
            recorded_messages: BTreeMap::new(),
        };
        let places: BTreeMap<String, usize> =
            facts.messages.iter().enumerate().map(|(place, told)| (told.id.clone(), place)).collect();
        for (place, event) in lived.history.iter().enumerate() {
            facts.note(place, &event.what, &places, lived.scenario.queue_name());
            if let What::Stored { key, by, step: StoreStep::TryCounted } = &event.what {
                let told = facts
                    .messages
                    .iter_mut()
                    .find(|told| !told.id.is_empty() && key.ends_with(&format!("{}:{}", told.id.len(), told.id)));
                let died = |told: &&mut Told<'h>| died_before_work(&lived.history[place..], by, &told.id);
                if let Some(told) = told.filter(died) {
                    told.died_at.push(place);
                }
            }
        }
        facts
    }

    fn note(&mut self, place: usize, what: &What, places: &BTreeMap<String, usize>, queue_name: &str) {
        if let What::Stored { key, step: StoreStep::Completed, .. } = what {
            // Keys are parts with their lengths: the name of an effect is a number, that of a message its id.
            for (id, _) in places.iter().filter(|(id, _)| key.ends_with(&format!("{}:{id}", id.len()))) {
                self.recorded_messages.entry(id.clone()).or_insert(place);
            }
            if let Some(effect) = key.rsplit(':').next().and_then(|name| name.parse().ok()) {
                self.recorded_effects.entry(effect).or_insert(place);
            }
        }
        let (What::Received { message, queue, .. } | What::Deleted { message, queue, .. }) = what else {
            return self.note_other(place, what, places);
        };
        let Some(told) =
            places.get(&**message).map(|place| &mut self.messages[*place]).filter(|_| &**queue == queue_name)
        else {
            return;
        };
        match what {
            What::Received { count, .. } => told.receives = told.receives.max(*count),
            _ => _ = told.deleted_at.get_or_insert(place),
        }
    }

    fn note_other(&mut self, place: usize, what: &What, places: &BTreeMap<String, usize>) {
        let (What::Work { message, .. }
        | What::Moved { message, .. }
        | What::DeadLetterSent { message, .. }
        | What::Expired { message, .. }) = what
        else {
            return;
        };
        let Some(told) = places.get(&**message).map(|place| &mut self.messages[*place]) else { return };
        match what {
            What::Work { work: Work::Began, .. } => told.began_at.push(place),
            What::Work { work: Work::Failed | Work::Dropped, .. } => told.failed_at.push(place),
            What::Work { .. } => _ = told.succeeded_at.get_or_insert(place),
            What::Expired { .. } => told.is_expired = true,
            _ => _ = told.dead_at.get_or_insert(place),
        }
    }

    /// When its effect was there: by its own work, or by that of another message of the same name.
    pub(super) fn done_at(&self, told: &Told<'_>) -> Option<usize> {
        let same = self.messages.iter().filter(|other| {
            other.planned.number == told.planned.number
                || (told.planned.effect.is_some()
                    && other.planned.effect == told.planned.effect
                    && other.planned.payload == told.planned.payload)
        });
        same.filter_map(|other| other.succeeded_at).min()
    }

    /// Whether its name is also that of another payload: one of the two is rejected.
    pub(super) fn has_namesake(&self, told: &Told<'_>) -> bool {
        let (planned, others) = (told.planned, self.messages.iter().map(|other| other.planned));
        planned.effect.is_some()
            && others.into_iter().any(|other| other.effect == planned.effect && other.payload != planned.payload)
    }

    /// What names its effect in keys of the store: parts with their lengths.
    pub(super) fn key_end(told: &Told<'_>) -> String {
        let name = told.planned.effect.map_or_else(|| told.id.clone(), |effect| effect.to_string());
        format!("{}:{name}", name.len())
    }

    /// When its effect was recorded.
    pub(super) fn recorded_at(&self, told: &Told<'_>) -> Option<usize> {
        match told.planned.effect {
            Some(effect) => self.recorded_effects.get(&effect).copied(),
            None => self.recorded_messages.get(&told.id).copied(),
        }
    }
}

/// Whether a process died with the next thing that it did, and not with work on this message.
fn died_before_work(rest: &[Event], process: &str, id: &str) -> bool {
    let next = rest.iter().find_map(|event| match &event.what {
        What::Work { message, by, work: Work::Began } if &**by == process && &**message == id => Some(false),
        What::Ended { process: ended, end, .. } if &**ended == process => {
            Some(matches!(end, End::Killed | End::TimedOut))
        }
        _ => None,
    });
    next.unwrap_or(false)
}

fn told<'h>(lived: &'h Lived, planned: &'h Planned, id: &str) -> Told<'h> {
    // A FIFO queue answers a duplicate with the id of the message it is a duplicate of.
    let is_first = lived.ids[..planned.number].iter().all(|other| other != id);
    let is_it = |body: &str| serde_json::from_str::<Body>(body).is_ok_and(|body| body.number == planned.number);
    Told {
        planned,
        id: if is_first { id.to_owned() } else { String::new() },
        receives: 0,
        began_at: Vec::new(),
        failed_at: Vec::new(),
        died_at: Vec::new(),
        succeeded_at: None,
        deleted_at: None,
        dead_at: None,
        is_whole: lived.dead.iter().any(|dead_letter| is_it(&dead_letter.sent.body)),
        is_expired: false,
        is_in_queue: !lived.is_drained,
    }
}
