use std::cell::Cell;

use sluicegate::{
    delivery::{CallError, FailedEntry, SourceQueue, VisibilityChange},
    events::Queue,
};

use super::*;
use tokio::time::Instant;

/// A queue with so many messages, which takes a moment to answer.
struct Stocked {
    waiting: Cell<usize>,
    handed_back: Cell<usize>,
}

impl Stocked {
    fn with(waiting: usize) -> Self {
        Self { waiting: Cell::new(waiting), handed_back: Cell::new(0) }
    }
}

impl SourceQueue for Stocked {
    async fn delete(&self, _: &Queue, _: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        unreachable!("the worker deletes, not the poller")
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        assert!(changes.iter().all(|change| change.timeout.is_zero()));
        self.handed_back.set(self.handed_back.get() + changes.len());
        Ok(Vec::new())
    }
}

impl Receive for Stocked {
    async fn receive(&self, _: &Queue, wait: Duration) -> Result<Vec<Message>, CallError> {
        let taken = self.waiting.get().min(10);
        self.waiting.set(self.waiting.get() - taken);
        sleep(if taken == 0 { wait } else { Duration::from_millis(20) }).await;
        let message = |n| Message {
            message_id: Some(format!("m-{n}")),
            receipt_handle: Some(format!("h-{n}")),
            body: Some("{}".to_owned()),
            ..Message::default()
        };
        Ok((0..taken).map(message).collect())
    }
}

/// A worker that is called, and may fail.
#[derive(Default)]
struct Called {
    times: Cell<usize>,
    fails: bool,
}

impl Invoke for Called {
    async fn invoke(&self, _: String) -> Result<(), CallError> {
        self.times.set(self.times.get() + 1);
        let failure = CallError { message: "TooManyRequestsException".to_owned(), is_transient: true };
        if self.fails { Err(failure) } else { Ok(()) }
    }
}

fn config() -> Config {
    Config::from_lookup(&|name| match name {
        "QUEUE_URL" => Some("https://sqs.us-east-1.amazonaws.com/1/polled".to_owned()),
        "WORKER_FUNCTION" => Some("worker".to_owned()),
        _ => None,
    })
    .unwrap()
}

async fn drain(config: &Config, queue: &Stocked, worker: &Called, seconds: u64) -> (Summary, Duration) {
    let started = Instant::now();
    let deadline = Deadline::after(Some(Duration::from_secs(seconds)), config.reserve);
    let summary = Run::new(config, queue, worker, deadline).drain().await;
    (summary, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_empty_queue_costs_one_request_a_run() {
    let (summary, took) = drain(&config(), &Stocked::with(0), &Called::default(), 50).await;
    assert_eq!(summary, Summary { receives: 1, drained: true, ..Summary::default() });
    assert_eq!(took, Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_drained_by_fifties() {
    let worker = Called::default();
    let (summary, _) = drain(&config(), &Stocked::with(1_000), &worker, 50).await;
    assert_eq!((summary.received, summary.dispatched, summary.returned), (1_000, 1_000, 0));
    // Each of the two receivers may end with a parcel that is not full.
    assert!((20..=21).contains(&worker.times.get()), "{}", worker.times.get());
    assert!(summary.drained);
}

#[tokio::test(start_paused = true)]
async fn a_few_messages_do_not_wait_for_more() {
    let worker = Called::default();
    let (summary, _) = drain(&config(), &Stocked::with(3), &worker, 50).await;
    assert_eq!((summary.dispatched, worker.times.get()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_inside_its_budget_with_everything_handed_over() {
    let mut config = config();
    config.receivers = 1;
    let (summary, took) = drain(&config, &Stocked::with(1_000_000), &Called::default(), 10).await;
    assert!(took <= Duration::from_secs(8), "{took:?}");
    assert_eq!(summary.received, summary.dispatched);
    assert!(!summary.drained);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_be_called_gets_less_and_less_and_the_messages_go_back() {
    let (queue, worker) = (Stocked::with(1_000_000), Called { fails: true, ..Called::default() });
    let mut config = config();
    config.receivers = 1;
    config.batch_size = 10;
    let (summary, took) = drain(&config, &queue, &worker, 50).await;
    assert_eq!(worker.times.get(), usize::try_from(MAX_FAILURES).unwrap());
    assert_eq!((summary.returned, queue.handed_back.get()), (summary.received, summary.received));
    assert!(took >= FIRST_PAUSE + FIRST_PAUSE * 2, "it did not slow down: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_any_invocation_stays_in_the_queue() {
    let config = config();
    let (queue, worker) = (Stocked::with(0), Called::default());
    let deadline = Deadline::after(Some(Duration::from_secs(50)), config.reserve);
    let run = Run::new(&config, &queue, &worker, deadline);
    let giant = Message {
        message_id: Some("m".to_owned()),
        receipt_handle: Some("h".to_owned()),
        body: Some("x".repeat(MAX_EVENT_BYTES)),
        ..Message::default()
    };
    assert!(run.take(&mut Parcel::default(), vec![giant]).await);
    assert_eq!((worker.times.get(), queue.handed_back.get()), (0, 0));
}
