//! The promises of the design (§1), each checked over a whole history.

mod answer;
mod facts;
mod receive;
mod work;

use std::fmt;

use sluicegate::testing::{End, What};

use crate::{
    life::Lived,
    scenario::{Act, HORIZON},
};

pub(crate) use self::answer::{PROBLEM, check_answer, check_summary};
pub(crate) use self::receive::NOT_DELETED;
use self::{
    facts::{Facts, Told},
    receive::{deletes_are_repeated, nothing_of_another_is_opened, receives_are_not_wasted},
    work::{nobody_works_on_the_same, only_failures_are_tries, what_is_done_is_recorded},
};

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in the design, §1.
    pub promise: u8,
    /// What happened instead.
    pub what: String,
    /// The message it happened to.
    pub message: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise {}: {}", self.promise, self.what)?;
        if let Some(message) = &self.message {
            write!(f, " ({message})")?;
        }
        Ok(())
    }
}

/// Every promise that was broken.
pub(crate) fn broken(lived: &Lived) -> Vec<Violation> {
    let facts = Facts::of(lived);
    let mut violations = Vec::new();
    let mut note = |promise: u8, broken: Vec<(Option<&str>, &str)>| {
        violations.extend(broken.into_iter().map(|(message, what)| Violation {
            promise,
            what: what.to_owned(),
            message: message.map(ToOwned::to_owned),
        }));
    };
    note(1, nothing_is_lost(&facts));
    note(2, a_fate_is_its_own(lived, &facts));
    note(3, nothing_done_is_repeated(lived, &facts));
    note(4, groups_keep_their_order(lived, &facts));
    note(5, nothing_is_claimed(lived));
    note(6, functions_stop_in_time(lived));
    note(7, nobody_is_given_up_untried(lived, &facts));
    note(3, nobody_works_on_the_same(lived, &facts));
    note(3, what_is_done_is_recorded(lived, &facts));
    note(5, deletes_are_repeated(lived));
    note(5, nothing_of_another_is_opened(lived));
    note(7, only_failures_are_tries(lived, &facts));
    note(7, receives_are_not_wasted(lived, &facts));
    note(8, everything_drains(lived));
    violations
}

type Broken<'h> = Vec<(Option<&'h str>, &'h str)>;

/// 1: a message is deleted only after its work succeeded, or its dead letter was taken.
fn nothing_is_lost<'h>(facts: &'h Facts<'h>) -> Broken<'h> {
    let mut broken = Vec::new();
    for told in &facts.messages {
        let deleted = told.deleted_at.is_some_and(|deleted| {
            let is_before = |time: Option<usize>| time.is_some_and(|time| time < deleted);
            !is_before(facts.done_at(told)) && !is_before(told.dead_at)
        });
        if deleted {
            broken.push((Some(told.id.as_str()), "deleted with its work not done"));
        }
        if told.is_expired {
            broken.push((Some(told.id.as_str()), "dropped by its queue"));
        }
        if told.is_lost() {
            broken.push((Some(told.id.as_str()), "neither done nor in any queue"));
        }
        if told.dead_at.is_some() && !told.is_whole {
            broken.push((Some(told.id.as_str()), "in the dead-letter queue, but not whole"));
        }
    }
    broken
}

/// 2: what can work is done, what cannot is in the dead-letter queue, whatever its neighbours do.
fn a_fate_is_its_own<'h>(lived: &'h Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let mut broken = Vec::new();
    for told in facts.messages.iter().filter(|told| lived.is_drained && !told.id.is_empty()) {
        let is_dead = told.dead_at.is_some();
        match told.planned.act {
            act if act.is_good() && !is_dead && facts.done_at(told).is_none() => {
                broken.push((Some(told.id.as_str()), "never done"));
            }
            Act::Reject | Act::Fail | Act::Panic | Act::Kill | Act::Hang if !is_dead => {
                broken.push((Some(told.id.as_str()), "can never work, and is not in the dead-letter queue"));
            }
            _ => {}
        }
    }
    broken
}

/// 3: work whose completion was recorded is not repeated.
fn nothing_done_is_repeated<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let mut broken = Vec::new();
    for told in facts.messages.iter().filter(|_| lived.scenario.has_store) {
        let Some(recorded) = facts.recorded_at(told) else { continue };
        if told.began_at.iter().any(|began| *began > recorded) {
            broken.push((Some(told.id.as_str()), "done, recorded, and begun again"));
        }
    }
    broken
}

/// 4: in a message group a record begins when every earlier one is done or given up, and with a store none is repeated
/// after a later one.
fn groups_keep_their_order<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    if !lived.scenario.source.is_fifo() {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for (place, told) in facts.messages.iter().enumerate() {
        let Some(&first) = told.began_at.first() else { continue };
        let earlier = facts.messages[..place].iter().filter(|other| other.planned.group == told.planned.group);
        for other in earlier {
            let is_over = |time: Option<usize>| time.is_some_and(|time| time < first);
            if !other.id.is_empty() && !is_over(facts.done_at(other)) && !is_over(other.dead_at) {
                broken.push((Some(told.id.as_str()), "begun before an earlier one of its group was done or given up"));
            }
            if lived.scenario.has_store && other.began_at.iter().any(|began| *began > first) {
                broken.push((Some(other.id.as_str()), "repeated after a later one of its group"));
            }
        }
    }
    broken
}

/// 5: answers name what is in their batch, and count each message once.
fn nothing_is_claimed(lived: &Lived) -> Broken<'_> {
    let noted = lived.history.iter().filter_map(|event| match &event.what {
        What::Note { text, .. } => text.strip_prefix(PROBLEM),
        _ => None,
    });
    noted.map(|text| (None, text)).collect()
}

/// 6: a function stops in time, unless its work killed it.
fn functions_stop_in_time(lived: &Lived) -> Broken<'_> {
    let is_killed = |process: &str| {
        lived.history.iter().any(
            |event| matches!(&event.what, What::Note { by, text } if &**by == process && text == "killed by its work"),
        )
    };
    let timed_out = lived.history.iter().filter_map(|event| match &event.what {
        What::Ended { process, end: End::TimedOut, .. } => Some(&**process),
        _ => None,
    });
    timed_out.filter(|process| !is_killed(process)).map(|process| (Some(process), "did not stop in time")).collect()
}

/// 7: a message is given up for what its own work did.
fn nobody_is_given_up_untried<'h>(lived: &Lived, facts: &'h Facts<'h>) -> Broken<'h> {
    let scenario = &lived.scenario;
    let is_deserved = |told: &Told<'_>| {
        let tries = told.tries_until(told.dead_at.unwrap_or(usize::MAX));
        let enough = usize::try_from(scenario.max_tries).unwrap_or(usize::MAX);
        let horizon = told.first_to_last_try(&lived.history);
        let is_about_to_be_moved = told.receives + 1 >= scenario.max_receives && tries > 0;
        // Clocks differ by ten seconds, and delays are whole seconds.
        told.planned.act == Act::Reject
            || facts.has_namesake(told)
            || is_about_to_be_moved
            || (tries >= enough && horizon + std::time::Duration::from_secs(12) >= HORIZON)
    };
    let dead = facts.messages.iter().filter(|told| told.dead_at.is_some() && !is_deserved(told));
    dead.map(|told| (Some(told.id.as_str()), "in the dead-letter queue for what others did")).collect()
}

/// 8: once the faults end, the queue drains.
fn everything_drains(lived: &Lived) -> Broken<'_> {
    if lived.is_drained { Vec::new() } else { vec![(None, "the queue did not drain")] }
}
