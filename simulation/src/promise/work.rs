//! Promises about work: who does it, what is remembered of it, and what counts as a try.

use std::collections::{BTreeMap, BTreeSet};

use sluicegate::testing::{End, Event, Operation, StoreStep, What, Work};

use super::{
    Broken,
    facts::{Facts, Told},
};
use crate::{life::Lived, scenario::Act};

/// 3: with a store nobody works on what another works on.
pub(super) fn nobody_works_on_the_same<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    if !lived.scenario.has_store {
        return Vec::new();
    }
    let ends: BTreeMap<&str, (String, &str)> =
        facts.messages.iter().map(|told| (told.id.as_str(), (Facts::key_end(told), told.id.as_str()))).collect();
    // By the name of the effect, who is at it.
    let mut at_work: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut broken = Vec::new();
    for event in &lived.history {
        let What::Work { message, by, work } = &event.what else { continue };
        let Some((effect, id)) = ends.get(&**message) else { continue };
        let at_it = at_work.entry(effect.as_str()).or_default();
        match work {
            Work::Began if !at_it.insert((&**by, *id)) || at_it.len() > 1 => {
                broken.push((Some(*id), "begun while another was at it"));
            }
            Work::Began => {}
            Work::Succeeded | Work::Failed | Work::Dropped => _ = at_it.remove(&(&**by, *id)),
        }
    }
    broken
}

/// 3: what succeeded is recorded, where the store answers and the process lives.
pub(super) fn what_is_done_is_recorded<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    if !lived.scenario.has_store {
        return Vec::new();
    }
    let told_of: BTreeMap<&str, &Told<'_>> = facts.messages.iter().map(|told| (told.id.as_str(), told)).collect();
    let mut broken = Vec::new();
    for (place, event) in lived.history.iter().enumerate() {
        let What::Work { message, by, work: Work::Succeeded } = &event.what else { continue };
        let Some(told) = told_of.get(&**message) else { continue };
        let key_end = Facts::key_end(told);
        let rest = || lived.history[place..].iter().take_while(|event| !is_end_of(&event.what, by));
        let is_told = rest().any(|event| {
            matches!(&event.what, What::Stored { key, by: who, step: StoreStep::Completed | StoreStep::Lost } if who == by && key.ends_with(&key_end))
        });
        let is_excused = lived.history[place..]
            .iter()
            .find(|event| is_end_of(&event.what, by))
            .is_none_or(|event| matches!(&event.what, What::Ended { end: End::TimedOut | End::Killed, .. }));
        if !is_told && !is_excused && !has_fault(&lived.history, by, Operation::Store) {
            broken.push((Some(told.id.as_str()), "done, and not recorded though the store answered"));
        }
    }
    broken
}

fn is_end_of(what: &What, by: &str) -> bool {
    matches!(what, What::Ended { process, .. } if &**process == by)
}

fn has_fault(history: &[Event], by: &str, wanted: Operation) -> bool {
    history.iter().any(
        |event| matches!(&event.what, What::Fault { by: who, operation, .. } if &**who == by && *operation == wanted),
    )
}

/// 7: a try is what failed. Looked at where nothing else may look like a failure: no process dies, and the store answers.
pub(super) fn only_failures_are_tries<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let scenario = &lived.scenario;
    let is_rough = lived.history.iter().any(|event| {
        matches!(
            &event.what,
            What::Ended { end: End::TimedOut | End::Killed, .. }
                | What::Fault { operation: Operation::Store, .. }
                | What::Stored { step: StoreStep::TryTakenBack, .. }
        )
    });
    if is_rough || scenario.messages.iter().any(|planned| planned.act == Act::Kill) {
        return Vec::new();
    }
    let counted: Vec<&str> = lived
        .history
        .iter()
        .filter_map(|event| match &event.what {
            What::Stored { key, step: StoreStep::TryCounted, .. } => Some(&**key),
            _ => None,
        })
        .collect();
    let is_healthy = |told: &&Told<'_>| told.planned.act == Act::Succeed && told.planned.takes <= scenario.timeout / 2;
    let healthy = facts.messages.iter().filter(is_healthy).filter(|told| !told.id.is_empty());
    let is_counted = |told: &Told<'_>| {
        let end = format!("{}:{}", told.id.len(), told.id);
        counted.iter().any(|key| key.ends_with(&end))
    };
    healthy
        .filter(|told| is_counted(told))
        .map(|told| (Some(told.id.as_str()), "a try was counted, and its work did not fail"))
        .collect()
}
