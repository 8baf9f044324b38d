//! Promises about the queue: what is deleted, what is opened, and what receives are spent on.

use std::{collections::BTreeMap, time::Duration};

use sluicegate::testing::{Event, Fault, Handle, Operation, StoreStep, What, Work};

use super::{
    Broken,
    facts::{Facts, Told},
};
use crate::{
    life::Lived,
    scenario::{Act, Scenario, Source},
};

/// How the history notes that an answer names a message as worked on and not deleted.
pub(crate) const NOT_DELETED: &str = "not deleted: ";
/// Receives of a healthy message, in a world where nothing goes wrong, that may lead to nothing: the last one of a run
/// comes when no time is left to invoke the worker.
const SPARE_RECEIVES: usize = 4;

/// 5: a delete that failed is repeated inside the budget, and nothing is in its way.
pub(super) fn deletes_are_repeated(lived: &Lived) -> Broken<'_> {
    let mut broken = Vec::new();
    for (place, event) in lived.history.iter().enumerate() {
        let What::Note { by, text } = &event.what else { continue };
        let Some(id) = text.strip_prefix(NOT_DELETED) else { continue };
        let is_start = |event: &Event| matches!(&event.what, What::Started { process, .. } if process == by);
        let Some(start) = lived.history[..place].iter().rposition(is_start) else { continue };
        let invocation = &lived.history[start..place];
        let is_refused = invocation.iter().any(
            |event| matches!(&event.what, What::NotDeleted { message, by: who, .. } if who == by && &**message == id),
        );
        // The delete comes after the dead letter, whose own faults may use up the time.
        let is_letter_late = invocation
            .iter()
            .any(|event| matches!(&event.what, What::Fault { by: who, operation: Operation::Send, .. } if who == by));
        let failed: Vec<(&Event, Fault)> = invocation
            .iter()
            .filter_map(|event| match &event.what {
                What::Fault { by: who, operation: Operation::Delete, fault, .. } if who == by => Some((event, *fault)),
                _ => None,
            })
            .collect();
        let had_time = |event: &Event| event.at < lived.history[start].at + lived.scenario.timeout / 2;
        match failed.as_slice() {
            [] if !is_refused && !is_letter_late => {
                broken.push((Some(id), "done and not deleted, though every delete worked"));
            }
            // What is refused once is refused again.
            [(once, fault)] if !is_refused && *fault != Fault::Refused && had_time(once) => {
                broken.push((Some(id), "its delete failed once and was not repeated"));
            }
            _ => {}
        }
    }
    broken
}

/// 5: nobody changes the visibility of a message that another received since.
pub(super) fn nothing_of_another_is_opened(lived: &Lived) -> Broken<'_> {
    // At the mapping's door nobody is told when a message was received; an event may run twice, with the same handles.
    let is_event = lived.scenario.source == Source::Polled && !lived.scenario.waits_for_answer;
    if !lived.scenario.source.is_dispatched() || is_event {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for event in &lived.history {
        let What::VisibilityChanged { message, handle: Handle::Old, .. } = &event.what else { continue };
        // SQS gave it to two at once, or did late what it was asked in time, or did it and was asked again.
        let is_excused = lived.history.iter().any(|other| match &other.what {
            What::Received { message: received, while_in_flight, .. } => received == message && *while_in_flight,
            What::Fault { operation: Operation::ChangeVisibility, fault, .. } => {
                matches!(fault, Fault::Slow | Fault::Late | Fault::AnswerLost)
            }
            _ => false,
        });
        if !is_excused {
            broken.push((Some(&**message), "its visibility was changed when another had received it"));
        }
    }
    broken
}

/// 7: receives are spent on work.
pub(super) fn receives_are_not_wasted<'h>(lived: &'h Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let mut broken = asked_again_and_again(lived, facts);
    if lived.scenario.source.is_dispatched() && lived.scenario.faults.until.is_zero() {
        broken.extend(received_while_at_work(lived));
        broken.extend(received_for_nothing(lived, facts));
    }
    broken
}

/// Who waits for another waits for the rest of his lease.
fn asked_again_and_again<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let is_told_wrong = |event: &Event| {
        matches!(
            &event.what,
            What::Fault { operation: Operation::ChangeVisibility, .. }
                | What::Received { while_in_flight: true, .. }
                | What::Fault { operation: Operation::Store, .. }
        )
    };
    if lived.history.iter().any(is_told_wrong) {
        return Vec::new();
    }
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut broken = Vec::new();
    for event in &lived.history {
        let What::Stored { key, step, .. } = &event.what else { continue };
        let Some(told) = facts.messages.iter().find(|told| !told.id.is_empty() && key.ends_with(&Facts::key_end(told)))
        else {
            continue;
        };
        let count = asked.entry(&**key).or_default();
        *count = if *step == StoreStep::InProgress { *count + 1 } else { 0 };
        let sharers = facts.messages.iter().filter(|other| Facts::key_end(other) == Facts::key_end(told)).count();
        // Clocks differ by ten seconds: a second time, and a third.
        if *count > 3 * sharers {
            broken.push((Some(told.id.as_str()), "received again and again while another was at it"));
        }
    }
    broken
}

/// A message stays with whoever works on it until it is settled.
fn received_while_at_work(lived: &Lived) -> Broken<'_> {
    let scenario = &lived.scenario;
    let is_killed = scenario.messages.iter().any(|planned| planned.act == Act::Kill);
    // Behind the poller a long poll and the clocks' tolerance use up a short visibility: what is over may not be prolonged.
    if scenario.source != Source::Handed || is_killed {
        return Vec::new();
    }
    let mut held: BTreeMap<&str, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    for event in &lived.history {
        match &event.what {
            What::Work { message, by, work: Work::Began } => _ = held.insert(message, by),
            What::Work { message, work: Work::Failed | Work::Dropped, .. }
            | What::Deleted { message, .. }
            | What::NotDeleted { message, .. } => _ = held.remove(&**message),
            What::Received { message, .. } if held.contains_key(&**message) => {
                broken.push((Some(&**message), "received by another before it was settled"));
            }
            _ => {}
        }
    }
    broken
}

/// In a world where nothing goes wrong a healthy message is not received to be put back.
fn received_for_nothing<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let scenario = &lived.scenario;
    let is_tame = |planned: &crate::scenario::Planned| {
        !matches!(planned.act, Act::Kill | Act::Hang) && planned.takes <= longest_job(scenario)
    };
    if scenario.source != Source::Polled || !scenario.messages.iter().all(is_tame) {
        return Vec::new();
    }
    let is_wasted = |told: &&Told<'_>| {
        let receives = usize::try_from(told.receives).unwrap_or(0);
        receives > told.began_at.len() + SPARE_RECEIVES
            && told.planned.effect.is_none()
            && told.planned.act != Act::Reject
    };
    let wasted = facts.messages.iter().filter(|told| !told.id.is_empty()).filter(is_wasted);
    wasted.map(|told| (Some(told.id.as_str()), "received again and again and not begun")).collect()
}

fn longest_job(scenario: &Scenario) -> Duration {
    scenario.longest_job.max(Duration::from_secs(1))
}
