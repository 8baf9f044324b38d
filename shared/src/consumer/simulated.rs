//! The consumer's promises, under a simulated AWS: outages, lost answers, duplicates, processes that are killed or told to
//! stop, and others beside them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{Consumer, Settings};
use crate::{
    delivery::{DeadLetterQueues, Policy, RecordError, RetryPolicy},
    events::{Queue, Record},
    testing::{
        Event, FaultPlan, Host, Kill, Outgoing, QueueConfig, Rates, Simulation, Stream, What, Work, World, until_killed,
    },
};

/// Faults end here.
const FAULTS: Duration = Duration::from_mins(30);
/// All is settled by then: a message that was about to be given up waits longest.
const END: Duration = Duration::from_hours(12);

fn faults() -> FaultPlan {
    let rates = Rates {
        slow: 200,
        throttled: 200,
        unavailable: 200,
        hung: 50,
        answer_lost: 100,
        late: 50,
        partial: 300,
        duplicate: 200,
        disorder: 500,
        false_empty: 200,
        ..Rates::default()
    };
    FaultPlan { rates, until: FAULTS, answer_timeout: Some(Duration::from_secs(5)), ..FaultPlan::none() }
}

/// One process after the other on one host, until the queue is empty.
async fn run(world: &World, name: &str, queue: &Queue, dead: &Queue, draws: &Stream) {
    for life in 0_u32.. {
        let host = world.host(&format!("{name}-{life}"));
        let mut settings = Settings::of(queue.clone());
        settings.concurrency = usize::try_from(draws.between(1, 12)).unwrap();
        settings.visibility = Duration::from_secs(draws.between(10, 60));
        settings.grace = Duration::from_secs(draws.between(0, 30));
        let urls = BTreeMap::from([(queue.name().to_owned(), dead.url().to_owned())]);
        let policy = Policy {
            dead_letter_queues: DeadLetterQueues(urls),
            retry: RetryPolicy { max_receives: Some(20), ..RetryPolicy::default() },
            ..Policy::default()
        };
        let (handler_host, clock) = (host.clone(), Arc::new(host.clock()));
        let handler = async move |record: &Record| work(&handler_host, record).await;
        let consumer = Consumer::in_world(settings, host.queues(), policy, handler, clock, host.random());
        let is_early = world.now() < FAULTS;
        let kill = (is_early && draws.flip()).then(|| Kill::draw(draws, Duration::from_mins(5)));
        let stop_after = if is_early { draws.time(Duration::ZERO, Duration::from_mins(10)) } else { END };
        // Sometimes told twice, which ends it at once. It is asked anew each time something happens: by the clock, then.
        let again_after =
            if draws.between(0, 3) == 0 { draws.time(Duration::ZERO, Duration::from_secs(20)) } else { END };
        let first = Instant::now() + stop_after;
        let mut told = [first, first + again_after].into_iter().peekable();
        let stop = async || {
            if let Some(at) = told.peek() {
                sleep_until(*at).await;
                told.next();
            } else {
                std::future::pending::<()>().await;
            }
        };
        let end = match until_killed(kill, consumer.run(stop)).await {
            Some(Ok(())) => "told to stop, and ended",
            Some(Err(_)) => "told twice, or not heard by the queue",
            None => {
                host.die();
                "killed"
            }
        };
        host.note(end);
        world.pass(draws.time(Duration::ZERO, Duration::from_secs(30))).await;
    }
}

/// Some work is slow, some fails at first, some always.
async fn work(host: &Host, record: &Record) -> Result<(), RecordError> {
    let work = host.work(&record.message_id);
    let seconds = record.body.parse::<u64>().unwrap_or(0);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    if record.body == "poison" {
        work.fail();
        return Err(RecordError::reject("poison"));
    }
    if let Err(error) = host.call("registry").await {
        work.fail();
        return Err(RecordError::retry(error));
    }
    work.succeed();
    Ok(())
}

/// Sends: ids in their order, each with its group.
fn send(world: &World, queue: &Queue, draws: &Stream) -> Vec<(String, Option<String>)> {
    let one = |number: u64| {
        let body = if draws.between(0, 9) == 0 { "poison".to_owned() } else { draws.between(0, 90).to_string() };
        let group = queue.is_fifo().then(|| format!("g-{}", draws.between(0, 3)));
        let mut outgoing = Outgoing::from(body.as_str());
        outgoing.group_id.clone_from(&group);
        outgoing.deduplication_id = queue.is_fifo().then(|| number.to_string());
        (world.send(queue, outgoing).unwrap(), group)
    };
    (0..draws.between(5, 30)).map(one).collect()
}

fn check(sent: &[(String, Option<String>)], history: &[Event]) -> Result<(), String> {
    let (mut done, mut kept, mut begun) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for event in history {
        match &event.what {
            What::Work { message, work: Work::Succeeded, .. } => {
                done.insert(message.to_string());
            }
            What::DeadLetterSent { message, .. } | What::Moved { message, .. } => {
                kept.insert(message.to_string());
            }
            What::Deleted { queue, message, .. }
                if queue.starts_with("jobs") && !done.contains(&**message) && !kept.contains(&**message) =>
            {
                return Err(format!("{message} was deleted and neither done nor kept"));
            }
            What::Work { message, work: Work::Began, .. } if begun.insert(message.to_string()) => {
                let place = sent.iter().position(|(id, _)| **id == **message);
                let group = place.and_then(|place| sent[place].1.as_ref());
                let earlier =
                    sent.iter().take(place.unwrap_or(0)).filter(|(_, of)| of.is_some() && of.as_ref() == group);
                for (id, _) in earlier {
                    if !done.contains(id) && !kept.contains(id) {
                        return Err(format!("{message} began before {id} of its group was done or kept"));
                    }
                }
            }
            _ => {}
        }
    }
    let lost = sent.iter().find(|(id, _)| !done.contains(id) && !kept.contains(id));
    lost.map_or(Ok(()), |(id, _)| Err(format!("{id} is neither done nor kept")))
}

#[test]
fn nothing_is_lost_and_order_is_kept_whatever_happens_to_processes_and_calls() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..100 {
        Simulation::new(seed).faults(faults()).run(async |world| {
            let draws = world.stream("consumer");
            let suffix = if draws.flip() { ".fifo" } else { "" };
            let dead = world.queue(QueueConfig::named(&format!("dead{suffix}")));
            let config = QueueConfig::named(&format!("jobs{suffix}")).redriven_to(&format!("dead{suffix}"), 20);
            let queue = world.queue(config);
            let sent = send(world, &queue, &draws);
            let others = (world.stream("one"), world.stream("other"));
            let drained = tokio::select! {
                biased;
                drained = world.until_drained(&queue, END) => drained,
                () = run(world, "one", &queue, &dead, &others.0) => unreachable!("it goes on"),
                () = run(world, "other", &queue, &dead, &others.1) => unreachable!("it goes on"),
            };
            assert!(drained, "seed {seed}: not drained\n{}", world.timeline(None));
            if let Err(broken) = check(&sent, &world.history()) {
                panic!("seed {seed}: {broken}\n{}", world.timeline(None));
            }
            for event in world.history() {
                if let What::Note { text, .. } = event.what {
                    *ends.entry(text).or_default() += 1;
                }
            }
        });
    }
    assert!(ends.len() == 3 && ends.values().all(|count| *count >= 10), "a way to end was hardly tried: {ends:?}");
}
