//! Which functions an event is meant for, and what each makes of it.

use serde::Serialize;
use serde_json::Value;
use sluicegate::{
    delivery::Work as _,
    events::{
        EventError, EventSource, Origin, read_batch, read_notifications, read_object_events, read_scheduled_event,
    },
};
use sqs_worker::Jobs;

use super::{
    layer::{object, records},
    source,
};

/// A function of this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Function {
    /// Logs what happens to objects
    #[value(name = "s3-object-logger")]
    S3ObjectLogger,
    /// Logs notifications
    SnsLogger,
    /// Works on messages
    SqsWorker,
    /// Drains a queue at each tick
    ScheduledPoller,
    /// Makes thumbnails of images
    Thumbnailer,
    /// Logs the records of a data stream
    KinesisLogger,
    /// Cleans up the records of a delivery stream
    FirehoseTransformer,
    /// Logs the messages of a broker
    MqLogger,
}

/// What one function makes of an event.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) function: Function,
    /// The event as a whole.
    pub(super) refused: bool,
    pub(super) does: Vec<String>,
    pub(super) problems: Vec<String>,
}

impl Verdict {
    /// Whether it, or a part of it, would be refused.
    pub(super) fn is_against(&self) -> bool {
        self.refused || !self.problems.is_empty()
    }

    pub(super) fn lines(&self, lines: &mut Vec<String>) {
        let name = self.function.name();
        lines.push(if self.refused { format!("{name} refuses it") } else { format!("{name} takes it") });
        lines.extend(self.does.iter().map(|does| format!("  {does}")));
        lines.extend(self.problems.iter().map(|problem| format!("  problem: {problem}")));
    }
}

/// The functions an event is meant for, the first one before all; none for what is no event at all.
pub(super) fn meant(event: &str) -> Vec<Function> {
    use Function::{
        FirehoseTransformer, KinesisLogger, MqLogger, S3ObjectLogger, ScheduledPoller, SnsLogger, SqsWorker,
        Thumbnailer,
    };
    let Ok(value) = serde_json::from_str::<Value>(event) else { return Vec::new() };
    let is_of_objects =
        || read_object_events(event).is_ok_and(|found| !(found.objects.is_empty() && found.test_events.is_empty()));
    let with_logger = |first: Function| {
        let mut functions = vec![first];
        functions.extend(is_of_objects().then_some(S3ObjectLogger));
        functions
    };
    let anybody_s = vec![S3ObjectLogger, SnsLogger, SqsWorker];
    if let Some(records) = records(&value) {
        let Some(first) = records.first() else { return anybody_s };
        return match first["eventSource"].as_str().or_else(|| first["EventSource"].as_str()) {
            Some("aws:s3") => vec![S3ObjectLogger],
            Some("aws:sns") => with_logger(SnsLogger),
            Some("aws:kinesis") => vec![KinesisLogger],
            Some("aws:sqs") => {
                let mut functions = with_logger(SqsWorker);
                functions.extend(is_of_objects().then_some(Thumbnailer));
                functions
            }
            // Of a source that is not known here: whoever takes it all the same.
            Some(_) => anybody_s.into_iter().filter(|function| !function.judge(event).is_against()).collect(),
            None => anybody_s,
        };
    }
    let Some(object) = value.as_object() else { return Vec::new() };
    if object.contains_key("Records") {
        return anybody_s;
    }
    if object.contains_key("deliveryStreamArn") {
        return vec![FirehoseTransformer];
    }
    if object.get("eventSource").is_some_and(source::is_broker) {
        return vec![MqLogger];
    }
    if object.contains_key("queueUrl") {
        return vec![SqsWorker];
    }
    let is_of_s3 = object.get("Event").is_some_and(|event| event == "s3:TestEvent")
        || object.get("source").is_some_and(|source| source == "aws.s3");
    if is_of_s3 || is_of_objects() {
        return vec![S3ObjectLogger];
    }
    // It takes any JSON, and so is no answer to whose this is.
    let is_tick = read_scheduled_event(event).is_ok_and(|tick| tick.origin != Origin::Custom);
    if is_tick { vec![ScheduledPoller] } else { Vec::new() }
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Self::S3ObjectLogger => "s3-object-logger",
            Self::SnsLogger => "sns-logger",
            Self::SqsWorker => "sqs-worker",
            Self::ScheduledPoller => "scheduled-poller",
            Self::Thumbnailer => "thumbnailer",
            Self::KinesisLogger => "kinesis-logger",
            Self::FirehoseTransformer => "firehose-transformer",
            Self::MqLogger => "mq-logger",
        }
    }

    /// What the function would do.
    pub(super) fn judge(self, event: &str) -> Verdict {
        let judged = match self {
            Self::S3ObjectLogger => objects(event),
            Self::SnsLogger => sns(event),
            Self::SqsWorker => jobs(event),
            Self::ScheduledPoller => poll(event),
            Self::Thumbnailer => thumbnails(event),
            Self::KinesisLogger => source::stream(event),
            Self::FirehoseTransformer => source::delivery(event),
            Self::MqLogger => source::broker(event),
        };
        match judged {
            Ok((does, problems)) => Verdict { function: self, refused: false, does, problems },
            Err(problem) => {
                Verdict { function: self, refused: true, does: Vec::new(), problems: vec![problem.to_string()] }
            }
        }
    }
}

/// What is done, and what is wrong; an error is about the whole event.
pub(super) type Judged = Result<(Vec<String>, Vec<String>), EventError>;

fn objects(event: &str) -> Judged {
    let found = read_object_events(event)?;
    let logged = found.objects.iter().map(|event| format!("logs {} by way of {}", object(event), event.route));
    let tests = found.test_events.iter().map(|test| format!("acknowledges the test event of bucket {}", test.bucket));
    let problems = found.refused.iter().map(|refusal| match &refusal.message_id {
        Some(id) => format!("message {id}: {}", refusal.problem),
        None => refusal.problem.to_string(),
    });
    Ok((logged.chain(tests).collect(), problems.collect()))
}

fn sns(event: &str) -> Judged {
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    for notification in read_notifications(event)?.records {
        match notification {
            Ok(notification) => {
                let bytes = notification.message.len();
                let id = notification.message_id.as_deref().unwrap_or("-");
                does.push(format!("logs notification {id} of {bytes} bytes"));
            }
            Err(malformed) => problems.push(malformed.problem.to_string()),
        }
    }
    Ok((does, problems))
}

fn jobs(event: &str) -> Judged {
    let worker = Jobs { enable_drills: true };
    let Some(batch) = read_batch(event)? else { return Ok((vec!["has nothing to do".to_owned()], Vec::new())) };
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    does.push(match batch.source {
        EventSource::Mapping => format!("works on queue {}; Lambda deletes what its answer does not name", batch.queue),
        EventSource::Dispatch => format!("works on queue {}, and deletes what is done", batch.queue),
    });
    for record in batch.records {
        match record {
            Ok(record) => {
                let job = worker.read(&record);
                match job.and_then(|job| job.refusal().map_or(Ok(job), Err)) {
                    Ok(job) => does.push(format!("message {}: {job}", record.message_id)),
                    Err(why) => problems.push(format!("message {}: rejected: {why}", record.message_id)),
                }
            }
            Err(record) => problems.push(format!("message {}: {}", record.message_id, record.problem)),
        }
    }
    if batch.unnamed > 0 {
        problems
            .push(format!("{} without a message id: the invocation fails once the others are settled", batch.unnamed));
    }
    Ok((does, problems))
}

fn thumbnails(event: &str) -> Judged {
    let Some(batch) = read_batch(event)? else { return Ok((vec!["has nothing to do".to_owned()], Vec::new())) };
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    for record in batch.records {
        let (id, found) = match record {
            Ok(record) => (record.message_id, read_object_events(&record.body)),
            Err(record) => (record.message_id, Err(record.problem)),
        };
        match found {
            Ok(found) => {
                let made = found.objects.iter().filter(|object| object.may_be_new());
                does.extend(
                    made.map(|event| {
                        format!("message {id}: makes a thumbnail of {}, if it is an image", object(event))
                    }),
                );
                problems.extend(found.refused.iter().map(|refusal| format!("message {id}: {}", refusal.problem)));
            }
            Err(problem) => problems.push(format!("message {id}: {problem}")),
        }
    }
    Ok((does, problems))
}

fn poll(event: &str) -> Judged {
    let tick = read_scheduled_event(event)?;
    let origin = match tick.origin {
        Origin::Scheduler => "a tick of EventBridge Scheduler",
        Origin::Rule => "a tick of an EventBridge rule",
        _ => "an input of somebody's own: any JSON is a tick",
    };
    Ok((vec![format!("drains its queue: {origin}")], Vec::new()))
}
