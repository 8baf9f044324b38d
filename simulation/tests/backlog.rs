//! How long a backlog takes, in the simulated AWS: `docs/scale.md` has the table.
//!
//! `cargo test --profile simulation -p simulation --test backlog -- --nocapture` prints it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use sluicegate::{
    queue::{self, QueueSettings, Record, RecordError, Worker},
    runtime::Invocation,
    testing::{FaultPlan, FunctionConfig, MappingConfig, QueueConfig, Simulation},
};

/// Messages a second, before and meanwhile.
const RATE: u64 = 10;
/// What waits at first: six minutes of them. A larger one takes as much longer.
const BACKLOG: u64 = 360 * RATE;
/// Longer is not waited for.
const LIMIT: Duration = Duration::from_mins(40);

/// How long it takes until no more wait than come in a few seconds, with so many invocations at once and jobs of that length.
fn drained_in(max_concurrency: u32, job: Duration) -> Duration {
    Simulation::new(7).faults(FaultPlan::none()).run(async |world| {
        let visibility = Duration::from_mins(3);
        let jobs = world.queue(QueueConfig { visibility, ..QueueConfig::named("jobs") });
        world.function(FunctionConfig::named("worker", Duration::from_secs(30)), move |host| {
            let (settings, ()) = QueueSettings::with(&|_| None, |_| Some(())).unwrap();
            let work = queue::handler(async move |_: &Record| -> Result<(), RecordError> {
                tokio::time::sleep(job).await;
                Ok(())
            });
            let worker = Worker::in_world(settings, work, host.queues(), Arc::new(host.clock()), host.random());
            Box::new(async move |event: &str, remaining: Duration| {
                let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(remaining) };
                let answer = worker.handle(event, &invocation).await.map_err(|error| error.to_string())?;
                Ok(serde_json::to_string(&answer).unwrap_or_default())
            })
        });
        for _ in 0..BACKLOG {
            world.send(&jobs, "{}").unwrap();
        }
        let (max_concurrency, window) = (Some(max_concurrency), Duration::from_secs(1));
        world.mapping(MappingConfig { max_concurrency, window, ..MappingConfig::of("jobs", "worker") });
        let mut took = Duration::ZERO;
        while took < LIMIT {
            world.pass(Duration::from_secs(1)).await;
            took += Duration::from_secs(1);
            if world.counts(&jobs).visible <= 5 * usize::try_from(RATE).unwrap() {
                break;
            }
            for _ in 0..RATE {
                world.send(&jobs, "{}").unwrap();
            }
        }
        took
    })
}

#[test]
fn a_backlog_is_done_in_the_time_of_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scale.md")).unwrap();
    let mut missing = Vec::new();
    for milliseconds in [20, 1_000, 3_000] {
        let minutes = [5, 2].map(|at_once| {
            let took = drained_in(at_once, Duration::from_millis(milliseconds));
            if took >= LIMIT { "never".to_owned() } else { format!("{} s", took.as_secs()) }
        });
        let row = format!("| {milliseconds} ms | {} | {} |", minutes[0], minutes[1]);
        println!("{row}");
        if !page.contains(&row) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "docs/scale.md has no rows\n{}", missing.join("\n"));
}
