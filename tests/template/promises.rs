//! What is promised over time, computed from the template's own numbers. `docs/delivery.md` has them in a table.

use std::{fs, time::Duration};

use super::{Document, Resource, is_dead_letter_queue, logical_id};
use crate::repository::root;

/// SQS's longest long poll.
const LONG_POLL: Duration = Duration::from_secs(20);
/// Clocks of two machines differ by no more than this.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);
/// The engine gives up what its queue would drop within this time.
const BEFORE_DROPPED: Duration = Duration::from_hours(1);
/// The longest time-out of a worker behind the poller: with the period it is Lambda's longest.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(14);

/// A queue, and what the function that works on it is told.
#[derive(Debug)]
struct Work {
    queue: Resource,
    function: Resource,
    /// Messages of one invocation.
    batch: u64,
}

impl Work {
    /// Every queue with its function: by a mapping, and by the poller.
    fn all(document: &Document) -> Vec<Self> {
        let by_mapping = document.events("SQS").into_iter().map(|mapping| Self {
            queue: document.resource(&logical_id(&mapping.properties["Queue"])),
            batch: mapping.properties["BatchSize"].as_u64().unwrap(),
            function: document.resource(&mapping.id),
        });
        let poller = document.resource("ScheduledPollerFunction");
        let by_poller = Self {
            queue: document.resource(&logical_id(variable(&poller, "QUEUE_URL"))),
            function: document.resource(&logical_id(variable(&poller, "WORKER_FUNCTION"))),
            batch: setting(&poller, "WORKER_CONCURRENCY"),
        };
        let all: Vec<_> = by_mapping.chain([by_poller]).collect();
        let queues = document.queues().into_iter().filter(|queue| !is_dead_letter_queue(&queue.id));
        assert_eq!(all.len(), queues.count(), "a queue that no function works on");
        all
    }

    fn setting(&self, name: &str) -> u64 {
        setting(&self.function, name)
    }

    fn tries(&self) -> u64 {
        self.setting("MAX_TRIES")
    }

    fn max_receives(&self) -> u64 {
        self.queue.properties["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap()
    }

    fn visibility(&self) -> Duration {
        seconds(&self.queue, "VisibilityTimeout")
    }

    fn retention(&self) -> Duration {
        seconds(&self.queue, "MessageRetentionPeriod")
    }

    /// The longest back-off after so many tries or receives; the shortest is half of it.
    fn back_off(&self, count: u64) -> Duration {
        let [initial, max] = ["RETRY_INITIAL_SECONDS", "RETRY_MAX_SECONDS"].map(|name| self.setting(name));
        Duration::from_secs(initial.saturating_mul(1 << (count - 1).min(31)).min(max))
    }

    /// From the first failed try to the last, at the longest.
    fn longest_horizon(&self) -> Duration {
        (1..self.tries()).map(|count| self.back_off(count)).sum()
    }

    /// Receives that its own work may need: all its tries and, in a message group, those of all that stand before it in a
    /// batch, for which it is received as well. The move to the dead-letter queue is one more.
    fn needed_receives(&self) -> u64 {
        let is_fifo = self.queue.properties["FifoQueue"] == true;
        1 + self.tries() * if is_fifo { self.batch } else { 1 }
    }

    /// Receives that throttles, hand-backs, a worker that cannot be invoked or a neighbour may cost it.
    fn spare_receives(&self) -> u64 {
        let (max, needed) = (self.max_receives(), self.needed_receives());
        assert!(needed < max, "{}: {needed} of {max} receives are needed", self.queue.id);
        max - needed
    }

    /// How long its worker may be out of reach before a message is given up untried.
    fn survived_outage(&self) -> Duration {
        let spare = self.spare_receives();
        if self.is_polled() {
            // The poller gives back for longer each time, by the receive count.
            (1..=spare).map(|count| self.back_off(count) / 2).sum()
        } else {
            // A mapping holds on to a batch that it cannot hand over, and lets it go with its visibility timeout.
            self.visibility() * u32::try_from(spare).unwrap()
        }
    }

    fn is_polled(&self) -> bool {
        self.queue.id == "PolledQueue"
    }
}

fn variable<'r>(function: &'r Resource, name: &str) -> &'r serde_yaml_ng::Value {
    let value = &function.properties["Environment"]["Variables"][name];
    assert!(!value.is_null(), "{} is told no {name}", function.id);
    value
}

fn setting(function: &Resource, name: &str) -> u64 {
    variable(function, name).as_str().unwrap().parse().unwrap_or_else(|_| panic!("{}: {name}", function.id))
}

fn seconds(resource: &Resource, property: &str) -> Duration {
    Duration::from_secs(resource.properties[property].as_u64().unwrap())
}

fn page() -> String {
    fs::read_to_string(root().join("docs/delivery.md")).unwrap()
}

#[test]
fn the_engine_is_told_the_numbers_of_its_queues() {
    let document = Document::by_default();
    let works = Work::all(&document);
    for work in &works {
        let id = &work.queue.id;
        assert_eq!(work.setting("MAX_RECEIVES"), work.max_receives(), "{id}");
        assert_eq!(work.setting("RETENTION_SECONDS"), work.retention().as_secs(), "{id}");
        let of_function = works.iter().filter(|other| other.function.id == work.function.id);
        let shortest = of_function.map(Work::visibility).min().unwrap();
        assert_eq!(work.setting("VISIBILITY_SECONDS"), shortest.as_secs(), "{id}");
    }
}

#[test]
fn every_function_on_a_queue_counts_tries_in_the_one_table() {
    let document = Document::by_default();
    let tables = document.resources("AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 1);
    for work in Work::all(&document) {
        assert_eq!(logical_id(variable(&work.function, "IDEMPOTENCY_TABLE")), tables[0].id, "{}", work.function.id);
    }
}

#[test]
fn back_off_alone_outlasts_the_horizon_and_the_queue_keeps_messages_for_longer_than_both() {
    for work in Work::all(&Document::by_default()) {
        let (id, longest) = (&work.queue.id, work.longest_horizon());
        let horizon = Duration::from_secs(work.setting("HORIZON_SECONDS"));
        // So the last try waits for the horizon only where a job names shorter delays of its own.
        assert!(longest / 2 >= horizon, "{id}: {longest:?} against {horizon:?}");
        assert!(longest + BEFORE_DROPPED < work.retention(), "{id}");
        // A service that is away for a quarter of an hour costs nobody a dead letter.
        assert!(horizon >= Duration::from_mins(15), "{id}");
    }
}

#[test]
fn nobody_is_moved_untried_for_what_a_neighbour_does() {
    for work in Work::all(&Document::by_default()) {
        // Should every message of a batch kill its worker in turn: all are received with each try of each.
        let killers = work.batch * (work.tries() + 1);
        assert!(work.max_receives() > 1 + killers, "{}: {killers}", work.queue.id);
        assert!(work.spare_receives() >= 90, "{}", work.queue.id);
    }
}

#[test]
fn a_worker_that_is_away_for_hours_costs_no_dead_letter() {
    let page = page();
    for work in Work::all(&Document::by_default()) {
        let (spare, outage) = (work.spare_receives(), work.survived_outage());
        assert!(outage >= Duration::from_hours(4), "{}: {outage:?}", work.queue.id);
        assert!(outage < work.retention(), "{}: receives bind, not retention", work.queue.id);
        // One row for all queues of the same numbers.
        let row = format!(" | {} | {spare} | {} hours |", work.needed_receives(), outage.as_secs() / 3_600);
        assert!(page.contains(&row), "docs/delivery.md has no row {row} for {}", work.queue.id);
    }
}

#[test]
fn the_page_has_the_numbers_of_the_template() {
    let (document, page) = (Document::by_default(), page());
    let names = [
        "BATCH_CONCURRENCY",
        "RETRY_INITIAL_SECONDS",
        "RETRY_MAX_SECONDS",
        "MAX_TRIES",
        "HORIZON_SECONDS",
        "MAX_RECEIVES",
        "RETENTION_SECONDS",
        "VISIBILITY_SECONDS",
    ];
    let [worker, thumbnailer] = ["SqsWorkerFunction", "ThumbnailerFunction"].map(|id| document.resource(id));
    for name in names {
        let mut numbers = vec![setting(&worker, name)];
        // One image at a time, whatever is set.
        if name != "BATCH_CONCURRENCY" && setting(&thumbnailer, name) != numbers[0] {
            numbers.push(setting(&thumbnailer, name));
        }
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let row = format!("| `{name}` | {} |", numbers.join(", "));
        assert!(page.contains(&row), "docs/delivery.md has no row {row}");
    }
    let poller = document.resource("ScheduledPollerFunction");
    for name in ["WORKER_CONCURRENCY", "WORKER_TIMEOUT_SECONDS", "PERIOD_SECONDS", "VISIBILITY_SECONDS"] {
        let row = format!("| `{name}` | {} |", setting(&poller, name));
        assert!(page.contains(&row), "docs/delivery.md has no row {row}");
    }
    let longest = Work::all(&document).iter().map(|work| work.longest_horizon().as_secs() / 60).max().unwrap();
    assert!(page.contains(&format!("{} at the least and {longest} at the most", longest / 2)), "{longest} minutes");
}

#[test]
fn a_message_that_is_only_being_tried_again_rings_no_alarm_and_one_that_expires_rings_in_time() {
    let document = Document::by_default();
    let alarms = document.resources("AWS::CloudWatch::Alarm");
    for work in Work::all(&document) {
        let id = &work.queue.id;
        let of_queue = alarms.iter().filter(|alarm| {
            alarm.properties["MetricName"] == "MessageAge"
                && logical_id(&alarm.properties["Dimensions"][1]["Value"]) == *id
        });
        let mut ages: Vec<_> = of_queue
            .clone()
            .map(|alarm| Duration::from_millis(alarm.properties["Threshold"].as_u64().unwrap()))
            .collect();
        ages.sort_unstable();
        let [late, expiring] = ages[..] else { panic!("{id}: nothing rings before its messages are dropped") };
        assert!(work.longest_horizon() < late, "{id}: {:?} of tries against {late:?}", work.longest_horizon());
        assert_eq!(expiring, work.retention() / 2, "{id}");
        for alarm in of_queue {
            // What is tried again is seen once in the longest back-off.
            let [period, periods] =
                ["Period", "EvaluationPeriods"].map(|name| alarm.properties[name].as_u64().unwrap());
            assert!(period * periods > work.setting("RETRY_MAX_SECONDS"), "{}", alarm.id);
            assert_eq!(alarm.properties["DatapointsToAlarm"], 1, "{}", alarm.id);
        }
    }
}

#[test]
fn the_poller_is_told_its_worker_s_own_numbers() {
    let document = Document::by_default();
    let [poller, worker] = ["ScheduledPollerFunction", "SqsWorkerFunction"].map(|id| document.resource(id));
    assert_eq!(setting(&poller, "WORKER_CONCURRENCY"), setting(&worker, "BATCH_CONCURRENCY"));
    assert_eq!(setting(&poller, "WORKER_TIMEOUT_SECONDS"), seconds(&worker, "Timeout").as_secs());
    let queue = document.resource("PolledQueue");
    assert_eq!(setting(&poller, "VISIBILITY_SECONDS"), seconds(&queue, "VisibilityTimeout").as_secs());
    let dead_letters = logical_id(&queue.properties["RedrivePolicy"]["deadLetterTargetArn"]);
    assert_eq!(logical_id(variable(&poller, "DEAD_LETTER_QUEUE")), dead_letters);
    assert_ne!(queue.properties["FifoQueue"], true, "a group would be split over two invocations");
    assert_eq!(setting(&poller, "PERIOD_SECONDS"), 60);
    assert_eq!(document.events("ScheduleV2")[0].properties["ScheduleExpression"], "rate(1 minute)");
    // As many workers at once by either type.
    assert_eq!(setting(&poller, "RECEIVERS"), setting(&poller, "WORKER_INSTANCES"));
    assert_eq!(variable(&poller, "INVOCATION_TYPE"), "RequestResponse");
    assert_eq!(variable(&poller, "LONGEST_JOB_SECONDS"), "");
    // A fresh account runs ten functions at once.
    assert!(setting(&poller, "RECEIVERS") <= 5);
}

#[test]
fn a_run_of_the_poller_receives_for_a_period_and_then_has_its_worker_s_time() {
    let document = Document::by_default();
    let [poller, worker] = ["ScheduledPollerFunction", "SqsWorkerFunction"].map(|id| document.resource(id));
    let (timeout, of_worker) = (seconds(&poller, "Timeout"), seconds(&worker, "Timeout"));
    assert_eq!(timeout, Duration::from_secs(setting(&poller, "PERIOD_SECONDS")) + of_worker);
    assert!(of_worker <= LONGEST_TIMEOUT && timeout <= Duration::from_mins(15));
    // The next run does what a retry would.
    assert_eq!(poller.properties["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
}

#[test]
fn a_dispatched_message_is_not_received_again_while_its_worker_may_be_at_it() {
    let document = Document::by_default();
    let [poller, worker] = ["ScheduledPollerFunction", "SqsWorkerFunction"].map(|id| document.resource(id));
    let asynchronous = &worker.properties["EventInvokeConfig"];
    let event_age = Duration::from_secs(asynchronous["MaximumEventAgeInSeconds"].as_u64().unwrap());
    // Old handles are of no use to a second try.
    assert_eq!(asynchronous["MaximumRetryAttempts"], 0);
    let visibility = seconds(&document.resource("PolledQueue"), "VisibilityTimeout");
    let busy = LONG_POLL + event_age + seconds(&worker, "Timeout");
    assert!(busy + 2 * CLOCK_TOLERANCE <= visibility, "{busy:?} against {visibility:?}");
    assert!(6 * seconds(&poller, "Timeout") <= visibility);
    // All that one run dispatches by event has begun before the events are too old.
    let rounds = (setting(&poller, "PERIOD_SECONDS") / setting(&poller, "WORKER_TIMEOUT_SECONDS")).max(1);
    let last_begins = seconds(&worker, "Timeout") * u32::try_from(rounds - 1).unwrap();
    assert!(last_begins < event_age, "{last_begins:?} against {event_age:?}");
}

#[test]
fn no_beat_is_needed() {
    let document = Document::by_default();
    for work in Work::all(&document) {
        let told = Duration::from_secs(work.setting("VISIBILITY_SECONDS"));
        assert!(seconds(&work.function, "Timeout") + CLOCK_TOLERANCE < told, "{}", work.queue.id);
    }
}

#[test]
fn no_function_is_told_what_it_does_not_read() {
    let gone = ["BATCH_SIZE", "DEADLINE_RESERVE_MS", "HEARTBEAT_VISIBILITY_SECONDS", "IDEMPOTENCY_EXPIRY_SECONDS"];
    for function in Document::by_default().functions() {
        let variables = &function.properties["Environment"]["Variables"];
        for name in gone {
            assert!(variables.get(name).is_none(), "{}: {name}", function.id);
        }
    }
}
