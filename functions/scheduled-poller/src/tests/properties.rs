//! What holds whatever the calls come to.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use proptest::prelude::*;
use sluicegate::delivery::{CallError, InvokeError};

use super::world::World;

/// Draws from one seed, in the order of the calls.
struct Draw(Mutex<fastrand::Rng>);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn below(&self, n: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(0..n)
    }

    /// Mostly quick, sometimes slow, seldom for ever.
    fn time(&self) -> Duration {
        match self.below(20) {
            0 => Duration::from_hours(1),
            1..=3 => Duration::from_millis(self.below(40_000)),
            _ => Duration::from_millis(self.below(500)),
        }
    }

    fn call(&self) -> (Duration, Result<(), CallError>) {
        let failure = || CallError { message: "drawn".to_owned(), is_transient: !self.one_in(4) };
        (self.time(), if self.one_in(5) { Err(failure()) } else { Ok(()) })
    }

    fn invocation(&self, trouble: u64) -> (Duration, Result<(), InvokeError>) {
        let text = || "drawn".to_owned();
        let outcome = match self.below(trouble) {
            0 => Err(InvokeError::Throttled(text())),
            1 => Err(InvokeError::Failed(text())),
            2 => Err(InvokeError::Unanswered(text())),
            3 | 4 => Err(InvokeError::PayloadRefused(text())),
            5 if self.one_in(3) => Err(InvokeError::Refused(text())),
            _ => Ok(()),
        };
        (self.time(), outcome)
    }
}

/// A run, or two that overlap, in which every call comes to what the seed says.
async fn run(seed: u64, settings: &[(&str, &str)]) {
    let draw = Draw::new(seed);
    let trouble = 6 + draw.below(30);
    let largest = 1 + draw.below(300_000);
    let count = draw.below(200);
    let bodies: Vec<String> = (0..count)
        .map(|_| "x".repeat(usize::try_from(if draw.one_in(20) { draw.below(largest) } else { 2 }).unwrap()))
        .collect();
    let [receives, works, changes, deletes, dead_letters] = [1, 2, 3, 4, 5].map(|n| Draw::new(seed ^ n));
    let world = World::new(bodies)
        .receiving(move || receives.call())
        .worker(move |_| works.invocation(trouble))
        .changing(move || changes.call())
        .deleting(move || deletes.call())
        .taking_dead_letters(move |_| dead_letters.call());
    // `World::run` holds that the counts add up and that it ends in time.
    let answers = if draw.one_in(2) {
        vec![world.run(settings, 90).await]
    } else {
        let (first, second) = tokio::join!(world.run(settings, 90), world.run(settings, 90));
        vec![first, second]
    };
    let state = world.state();
    let given: BTreeSet<&String> =
        state.calls.iter().filter(|call| call.worked).flat_map(|call| &call.handles).collect();
    let returned: BTreeSet<&String> = state.changed.iter().collect();
    assert!(given.is_disjoint(&returned), "given to the worker and given back: {given:?} {returned:?}");
    assert!(state.changes.iter().all(|(_, _, seconds)| *seconds >= 5), "{:?}", state.changes);
    assert!(state.most_in_flight <= 5 * answers.len());
    // Nobody is lost: deleted is what was worked on, or has its dead letter.
    for id in &state.deleted {
        let has_dead_letter = state.dead_letters.iter().any(|(message_id, _)| *message_id == format!("m-{id}"));
        let was_given = given.iter().any(|handle| super::world::read_handle(handle).0 == *id);
        assert!(has_dead_letter || was_given, "message {id} is gone");
    }
    if let [Ok(summary)] = answers.as_slice() {
        let handed_out: usize = state.receives.iter().map(|receive| receive.messages.len()).sum();
        assert!(summary.received <= handed_out, "a receive may be given up, never made up");
        assert_eq!(summary.dispatched, given.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_has_one_fate_whatever_the_calls_come_to(
        seed: u64,
        invocation_type in prop_oneof![Just("RequestResponse"), Just("Event")],
        concurrency in prop_oneof![Just("3"), Just("10"), Just("40")],
        visibility in prop_oneof![Just("180"), Just("40"), Just("")],
        has_dead_letter_queue: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let mut settings = vec![
            ("INVOCATION_TYPE", invocation_type),
            ("WORKER_CONCURRENCY", concurrency),
            ("VISIBILITY_SECONDS", visibility),
        ];
        if has_dead_letter_queue {
            settings.push(("DEAD_LETTER_QUEUE", "https://sqs.us-east-1.amazonaws.com/1/dead"));
        }
        runtime.block_on(run(seed, &settings));
    }
}
