use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use super::*;
use crate::{
    delivery::{DeadLetter, DeadLetterQueue, FailedEntry, Failure, ReceivingQueue, SourceQueue, VisibilityChange},
    events::Queue,
};

const ANSWER: Duration = Duration::from_millis(5);

type Calls = Arc<Mutex<Vec<String>>>;

/// A queue that gives what it holds, and writes down what it is asked.
#[derive(Debug, Default)]
struct Asked {
    backlog: Mutex<VecDeque<Message>>,
    calls: Calls,
    /// Answers of receives before the backlog.
    errors: Mutex<VecDeque<CallError>>,
    /// The first entry of each delete fails for the moment, once.
    stumbles: Mutex<bool>,
}

impl ReceivingQueue for Asked {
    async fn receive(&self, _: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        if let Some(error) = self.errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        let messages: Vec<Message> = {
            let mut backlog = self.backlog.lock().unwrap();
            let count = backlog.len().min(receive.max_messages);
            backlog.drain(..count).collect()
        };
        tokio::time::sleep(if messages.is_empty() { receive.wait } else { Duration::ZERO }.max(ANSWER)).await;
        self.calls.lock().unwrap().push(format!("receive {}", messages.len()));
        Ok(messages)
    }
}

impl SourceQueue for Asked {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        self.calls.lock().unwrap().push(format!("delete {}", handles.len()));
        let failure = Failure::Transient("busy".to_owned());
        Ok(if std::mem::take(&mut *self.stumbles.lock().unwrap()) {
            vec![FailedEntry { index: 0, failure }]
        } else {
            Vec::new()
        })
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let seconds: Vec<u64> = changes.iter().map(|change| change.timeout.as_secs()).collect();
        self.calls.lock().unwrap().push(format!("hide {seconds:?}"));
        Ok(Vec::new())
    }
}

impl DeadLetterQueue for Asked {
    async fn send(&self, _: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        self.calls.lock().unwrap().push(format!("send {}", dead_letters.len()));
        Ok(Vec::new())
    }
}

fn queue_of(count: usize) -> Asked {
    let message = |number: usize| Message {
        message_id: Some(format!("m-{number}")),
        receipt_handle: Some(format!("h-{number}")),
        body: Some("{}".to_owned()),
        attributes: [("MessageGroupId".to_owned(), format!("g-{}", number % 2))].into(),
        ..Message::default()
    };
    Asked { backlog: Mutex::new((0..count).map(message).collect()), ..Asked::default() }
}

fn settings() -> Settings {
    let mut settings = Settings::of(Queue::from_url("http://127.0.0.1/0/jobs").unwrap());
    settings.until_empty = true;
    settings.grace = Duration::from_secs(1);
    settings
}

/// Takes this long.
struct Takes(Duration);

impl Handler for Takes {
    type Fatal = &'static str;

    async fn handle(
        &self,
        _: Received<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> Result<(), HandlerError<&'static str>> {
        tokio::select! {
            () = sleep(self.0) => Ok(()),
            error = stopped => Err(error.into()),
        }
    }
}

fn consumer<H: Handler>(settings: Settings, port: Asked, handler: H) -> (Consumer<Asked, H>, Calls) {
    let calls = Arc::clone(&port.calls);
    (Consumer::new(settings, port, Policy::default(), handler), calls)
}

/// Never told to stop.
async fn never() {
    std::future::pending::<()>().await;
}

/// Told to stop after so many seconds each.
fn told_after(seconds: &[u64]) -> impl AsyncFnMut() {
    let started = Instant::now();
    let mut times: VecDeque<Instant> = seconds.iter().map(|&after| started + Duration::from_secs(after)).collect();
    async move || match times.front() {
        Some(&at) => {
            sleep_until(at).await;
            times.pop_front();
        }
        None => never().await,
    }
}

fn nothing() -> Takes {
    Takes(Duration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn full_batches_cost_a_fifth_of_a_request_a_message_and_the_polls_around_them() {
    let (consumer, calls) = consumer(settings(), queue_of(1_000), nothing());
    consumer.run(never).await.unwrap();
    let tally = consumer.tally();
    assert_eq!((tally.received, tally.done), (1_000, 1_000));
    let full = calls.lock().unwrap().iter().filter(|call| *call == "receive 10").count();
    assert!(full >= 98, "{full} full receives");
    assert!(tally.requests <= 206, "{tally}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_consumer_makes_one_long_poll_in_twenty_seconds() {
    let (consumer, calls) = consumer(Settings { until_empty: false, ..settings() }, queue_of(0), nothing());
    consumer.run(told_after(&[95])).await.unwrap();
    assert_eq!(calls.lock().unwrap().len(), 4, "the fifth was dropped");
    assert_eq!(consumer.tally().requests, 5);
}

/// Twenty-one seconds of work, and nothing else in the queue: whatever the options, nobody asks in circles.
#[tokio::test(start_paused = true)]
async fn an_empty_answer_that_came_at_once_is_followed_by_a_pause_whatever_the_options() {
    for until_empty in [true, false] {
        let work = Takes(Duration::from_secs(21));
        let max = Some(1).filter(|_| !until_empty);
        let hasty = Settings { wait: Duration::ZERO, until_empty, max, ..settings() };
        let (consumer, _) = consumer(hasty, queue_of(1), work);
        consumer.run(never).await.unwrap();
        let tally = consumer.tally();
        assert_eq!(tally.done, 1);
        assert!(tally.requests <= 26, "{tally}");
    }
    let hasty = Settings { wait: Duration::ZERO, until_empty: false, ..settings() };
    let (consumer, _) = consumer(hasty, queue_of(0), nothing());
    consumer.run(told_after(&[3_600])).await.unwrap();
    assert!(consumer.tally().requests <= 3_600, "an hour of idling: {}", consumer.tally());
}

#[tokio::test(start_paused = true)]
async fn entries_of_a_delete_that_failed_for_the_moment_are_called_again() {
    let port = queue_of(10);
    *port.stumbles.lock().unwrap() = true;
    let (consumer, calls) = consumer(settings(), port, nothing());
    consumer.run(never).await.unwrap();
    assert_eq!(consumer.tally().done, 10);
    let deleted = |call: &String| call.strip_prefix("delete ").map_or(0, |count| count.parse::<usize>().unwrap());
    assert_eq!(calls.lock().unwrap().iter().map(deleted).sum::<usize>(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_pace_begins_one_message_at_a_time_and_asks_for_one() {
    let every = Some(Duration::from_secs(2));
    let paced = Settings { every, visibility: Duration::from_secs(5), max: Some(3), ..settings() };
    let (consumer, calls) = consumer(paced, queue_of(20), nothing());
    let started = Instant::now();
    consumer.run(never).await.unwrap();
    assert_eq!(consumer.tally().done, 3);
    assert!((4..6).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(calls.lock().unwrap().iter().filter(|call| *call == "receive 1").count(), 3, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn slow_work_takes_no_more_than_it_can_begin_and_keeps_it_invisible() {
    let slow = Settings { grace: Duration::from_mins(1), ..settings() };
    let (consumer, calls) = consumer(slow, queue_of(40), Takes(Duration::from_secs(45)));
    consumer.run(told_after(&[50])).await.unwrap();
    let calls = calls.lock().unwrap();
    assert!(calls.iter().any(|call| call.starts_with("hide [30")), "heartbeats: {calls:?}");
    assert!(calls.iter().all(|call| *call != "receive 10"), "{calls:?}");
    let tally = consumer.tally();
    assert_eq!(tally.done + tally.given_back, tally.received, "{tally}");
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_stop_finishes_within_the_grace_and_gives_the_rest_back() {
    let (consumer, calls) = consumer(settings(), queue_of(4), Takes(Duration::from_hours(1)));
    let started = Instant::now();
    consumer.run(told_after(&[2])).await.unwrap();
    let tally = consumer.tally();
    assert_eq!((tally.received, tally.done, tally.given_back), (4, 0, 4));
    // A second for the grace, and one for the receive that was open meanwhile.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(calls.lock().unwrap().iter().any(|call| call.starts_with("hide [0")), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_told_twice_ends_at_once_and_says_what_was_in_hand() {
    let (consumer, _) = consumer(
        Settings { grace: Duration::from_hours(1), ..settings() },
        queue_of(2),
        Takes(Duration::from_hours(1)),
    );
    let error = consumer.run(told_after(&[2, 4])).await.unwrap_err();
    assert!(error.to_string().contains("2 messages in hand"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_may_pass_is_waited_out_and_another_ends_the_run() {
    let error = |is_transient| CallError { message: "no".to_owned(), is_transient };
    let port = queue_of(1);
    port.errors.lock().unwrap().extend([error(true), error(true)]);
    let (passing, _) = consumer(settings(), port, nothing());
    let started = Instant::now();
    passing.run(never).await.unwrap();
    assert_eq!(passing.tally().done, 1);
    assert!(started.elapsed() > Duration::from_secs(3));
    let port = queue_of(1);
    port.errors.lock().unwrap().push_back(error(false));
    let (refused, _) = consumer(settings(), port, nothing());
    assert!(refused.run(never).await.unwrap_err().to_string().contains("cannot be received"));
}

#[tokio::test(start_paused = true)]
async fn what_the_handler_says_decides_the_fate() {
    let (retried, calls) = consumer(settings(), queue_of(1), async |_: &Record| Err(RecordError::retry("busy")));
    retried.run(never).await.unwrap();
    assert_eq!(retried.tally().retried, 1);
    let delay = |call: &String| call.strip_prefix("hide [")?.strip_suffix(']')?.parse::<u64>().ok();
    let delays: Vec<u64> = calls.lock().unwrap().iter().filter_map(delay).collect();
    assert!(matches!(delays[..], [5..=10]), "half of ten seconds is random: {delays:?}");
    let (rejected, _) = consumer(settings(), queue_of(1), async |_: &Record| Err(RecordError::reject("never")));
    rejected.run(never).await.unwrap();
    assert_eq!(rejected.tally().rejected, 1, "no dead-letter queue is known");
}

#[tokio::test(start_paused = true)]
async fn settings_that_would_never_begin_a_message_begin_one_at_a_time() {
    let mut none = Settings { concurrency: 0, least_concurrency: 0, visibility: Duration::ZERO, ..settings() };
    none.max = Some(3);
    let (consumer, _) = consumer(none, queue_of(3), nothing());
    tokio::time::timeout(Duration::from_mins(1), consumer.run(never)).await.unwrap().unwrap();
    assert_eq!(consumer.tally().done, 3);
}

/// Can do nothing.
struct Broken;

impl Handler for Broken {
    type Fatal = &'static str;

    async fn handle(
        &self,
        _: Received<'_>,
        _: impl Future<Output = RecordError>,
    ) -> Result<(), HandlerError<&'static str>> {
        Err(HandlerError::Fatal("no such program"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_can_do_nothing_gives_everything_back_and_ends() {
    let (consumer, _) = consumer(settings(), queue_of(3), Broken);
    let error = consumer.run(never).await.unwrap_err();
    assert_eq!(error.to_string(), "no such program");
    let tally = consumer.tally();
    assert_eq!((tally.done, tally.given_back), (0, tally.received));
}
