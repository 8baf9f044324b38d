use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Job {
    group: Option<u8>,
    act: Act,
    takes: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Succeed,
    Fail,
    Reject,
    Panic,
}

impl Deliverable for Job {
    fn group_id(&self) -> Option<&str> {
        self.group.map(|group| ["red", "green", "blue"][usize::from(group)])
    }

    fn receive_count(&self) -> u32 {
        1
    }
}

fn job() -> impl Strategy<Value = Job> {
    let act = prop_oneof![5 => Just(Act::Succeed), 1 => Just(Act::Fail), 1 => Just(Act::Reject), 1 => Just(Act::Panic)];
    (proptest::option::weighted(0.8, 0u8..3), act, 0u64..400).prop_map(|(group, act, takes)| Job {
        group,
        act,
        takes: Duration::from_millis(takes),
    })
}

fn plan(order: Order, concurrency: usize, remaining: Duration) -> Plan {
    let deadline = Deadline::after(Some(remaining), Duration::from_millis(100));
    Plan { order, concurrency, deadline, retry: RetryPolicy::default() }
}

struct Observed {
    fates: Vec<&'static str>,
    /// Places of the records that ran, in the order they began.
    began: Vec<usize>,
    most_at_once: usize,
    took: Duration,
}

fn run(jobs: &[Job], order: Order, concurrency: usize, remaining: Duration, rejects_are_taken: bool) -> Observed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (began, at_once, most) = (RefCell::new(Vec::new()), Cell::new(0_usize), Cell::new(0_usize));
        let handler = async |job: &Job| {
            let place = jobs.iter().position(|other| std::ptr::eq(other, job)).unwrap();
            began.borrow_mut().push(place);
            at_once.set(at_once.get() + 1);
            most.set(most.get().max(at_once.get()));
            tokio::time::sleep(job.takes).await;
            at_once.set(at_once.get() - 1);
            match job.act {
                Act::Succeed => Ok(()),
                Act::Fail => Err(RecordError::retry("busy")),
                Act::Reject => Err(RecordError::reject("never")),
                Act::Panic => panic!("a bug"),
            }
        };
        let started = Instant::now();
        let plan = plan(order, concurrency, remaining);
        let outcomes = process(jobs, &plan, &handler, &async |_: &Job, _: &RecordError| rejects_are_taken).await;
        let fates = outcomes.iter().map(|outcome| outcome.fate.as_str()).collect();
        Observed { fates, began: began.into_inner(), most_at_once: most.get(), took: started.elapsed() }
    })
}

proptest! {
    #[test]
    fn the_fate_of_a_record_on_a_standard_queue_is_its_own(jobs in proptest::collection::vec(job(), 0..30), at_once in 1_usize..12) {
        let observed = run(&jobs, Order::None, at_once, Duration::from_hours(1), false);
        for (job, fate) in jobs.iter().zip(&observed.fates) {
            let expected = match job.act {
                Act::Succeed => "done",
                Act::Fail | Act::Panic => "retry",
                Act::Reject => "rejected",
            };
            prop_assert_eq!(*fate, expected);
        }
        prop_assert_eq!(observed.began.len(), jobs.len());
        prop_assert!(observed.most_at_once <= at_once);
    }

    #[test]
    fn in_a_group_what_ran_is_a_prefix_and_nothing_runs_after_a_failure(
        jobs in proptest::collection::vec(job(), 0..30),
        at_once in 1_usize..12,
        rejects_are_taken: bool,
    ) {
        let observed = run(&jobs, Order::ByGroup, at_once, Duration::from_hours(1), rejects_are_taken);
        let mut held_back: HashMap<String, bool> = HashMap::new();
        let mut expected_order: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, job) in jobs.iter().enumerate() {
            let group = job.group_id().map_or(format!("alone {place}"), ToOwned::to_owned);
            let is_held_back = held_back.entry(group.clone()).or_default();
            let expected = match job.act {
                _ if *is_held_back => "blocked",
                Act::Succeed => "done",
                Act::Fail | Act::Panic => "retry",
                Act::Reject if rejects_are_taken => "dead-lettered",
                Act::Reject => "rejected",
            };
            prop_assert_eq!(observed.fates[place], expected, "record {} of {:?}", place, jobs);
            if !*is_held_back {
                expected_order.entry(group).or_default().push(place);
            }
            *is_held_back |= !matches!(expected, "done" | "dead-lettered");
        }
        for (group, places) in expected_order {
            let ran: Vec<usize> = observed.began.iter().copied().filter(|place| places.contains(place)).collect();
            prop_assert_eq!(ran, places, "group {}", group);
        }
        prop_assert_eq!(observed.began.len(), observed.fates.iter().filter(|fate| **fate != "blocked").count());
        prop_assert!(observed.most_at_once <= at_once);
    }

    #[test]
    fn a_batch_ends_before_its_deadline_and_what_did_not_start_is_handed_back(
        jobs in proptest::collection::vec(job(), 1..30),
        fifo: bool,
        remaining in 100_u64..1_500,
    ) {
        let order = if fifo { Order::ByGroup } else { Order::None };
        let observed = run(&jobs, order, 2, Duration::from_millis(remaining), true);
        // Half of the reserve of 100 ms is kept; tokio's timer counts whole milliseconds.
        prop_assert!(observed.took <= Duration::from_millis(remaining - 50 + 1), "{:?}", observed.took);
        let untouched = observed.fates.iter().filter(|fate| matches!(**fate, "not started" | "blocked")).count();
        prop_assert_eq!(observed.began.len() + untouched, jobs.len());
    }
}

#[test]
fn a_record_that_hangs_is_stopped_and_its_neighbours_are_done() {
    let hangs = Job { group: None, act: Act::Succeed, takes: Duration::from_hours(1) };
    let works = Job { group: None, act: Act::Succeed, takes: Duration::from_millis(1) };
    let observed = run(&[hangs, works.clone(), works], Order::None, 10, Duration::from_secs(3), true);
    assert_eq!(observed.fates, ["retry", "done", "done"]);
    assert_eq!(observed.took, Duration::from_millis(2_950));
}

#[test]
fn message_groups_on_a_standard_queue_order_nothing() {
    let fails = Job { group: Some(0), act: Act::Fail, takes: Duration::ZERO };
    let works = Job { group: Some(0), act: Act::Succeed, takes: Duration::ZERO };
    let observed = run(&[fails, works], Order::None, 10, Duration::from_secs(3), true);
    assert_eq!(observed.fates, ["retry", "done"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_receive_is_given_up_but_waiting_for_somebody_else_is_not() {
    let job = Job { group: None, act: Act::Fail, takes: Duration::ZERO };
    let mut plan = plan(Order::None, 1, Duration::from_secs(3));
    plan.retry.max_receives = Some(1);
    let never = async |_: &Job, _: &RecordError| false;
    let failing = async |_: &Job| Err::<(), _>(RecordError::retry("busy"));
    let waiting = async |_: &Job| Err::<(), _>(RecordError::later(Duration::from_secs(1), "elsewhere"));
    let jobs = [job];
    assert_eq!(process(&jobs, &plan, &failing, &never).await[0].fate.as_str(), "rejected");
    assert_eq!(process(&jobs, &plan, &waiting, &never).await[0].fate.as_str(), "retry");
}
