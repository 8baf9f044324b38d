//! Logs what happens to objects, whatever way the event came, and alerts about those that are worth it.
//!
//! Takes S3's notifications and S3's events of EventBridge, alone or inside SNS and SQS, see
//! [`read_object_events`]. Every object is logged before the first alert leaves, and no
//! bad record, and no failed alert, takes another object's line away.
//!
//! | what arrives | what happens |
//! |---|---|
//! | an object event | a line `object created`, `object removed` or `object event` |
//! | `s3:TestEvent` | a line `test event acknowledged` |
//! | a record that cannot be read | a line `record refused` with all by which it can be known. Out of a queue it is also a batch item failure; else the invocation fails with `RecordsRefused` when the others are logged, since Lambda keeps the event only then |
//! | an event that is none of these | the invocation fails with `UnreadableEvent` |
//! | an object whose route alerts | it is named in the invocation's one SMS and one topic message |
//!
//! A failed alert fails the invocation, so that it is counted and tried again; Lambda then brings the whole event once
//! more, and the objects are logged once more. With a table, `IDEMPOTENCY_TABLE`, a channel that had its alert does not
//! get it again: nobody is woken twice for one event.

pub mod alert;
mod config;
mod sms;

use std::{sync::Arc, time::Duration};

use futures::future::{OptionFuture, join};
use serde::Serialize;
use sluicegate::{
    aws::sns::Publisher,
    clock::SystemClock,
    delivery::{BatchItemFailure, CallError, Completion, Deadline, RecordError},
    events::{EventKind, ObjectEvent, read_object_events},
    idempotency::{Effect, Guard, IdempotencyStore},
    objects::{batch_item_failures, log_others},
    random::SystemRandom,
    runtime::{Invocation, InvocationError},
};

pub use self::{
    config::{AlertRoutes, Config, PhoneNumber, TopicArn},
    sms::fits_one_sms,
};

/// Kept back from the invocation's time, so that an alert that gets no answer is still logged as failed.
const DEADLINE_RESERVE: Duration = Duration::from_millis(500);
/// How long an alert may take where the deadline is unknown.
const DEFAULT_ALERT_TIME: Duration = Duration::from_secs(10);

/// What the function answers.
///
/// `batchItemFailures` is what the event source mapping of a queue reads; it ignores the rest, and all else that calls
/// the function ignores the answer. So one answer serves every route. The mapping must say `ReportBatchItemFailures`: see
/// [partial batch responses](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Object events logged.
    pub logged: usize,
    /// Records that could not be read.
    pub refused: usize,
    /// Test events acknowledged.
    pub test_events: usize,
    /// Alerts sent now, at most one a channel.
    pub alerts: usize,
    /// The refused records of a queue, each once; empty when no queue is involved.
    #[serde(rename = "batchItemFailures")]
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// The function: its settings, and the port its alerts leave by.
#[derive(Debug)]
pub struct ObjectLogger<P, S> {
    config: Config,
    port: P,
    guard: Option<Guard<S>>,
}

impl<P: Publisher, S: IdempotencyStore> ObjectLogger<P, S> {
    /// A function that sends its alerts through `port`. `store` opens the idempotency store, when there is a table for it
    /// and somebody to alert.
    pub fn new(config: Config, port: P, store: impl FnOnce(String) -> S) -> Self {
        let table = config.idempotency_table.clone().filter(|_| config.alerts_anybody());
        let guard = |table| Guard::new(store(table), &config.function, Arc::new(SystemClock), Arc::new(SystemRandom));
        Self { guard: table.map(guard), config, port }
    }

    /// Handles one invocation.
    ///
    /// Fails with `UnreadableEvent` when the event holds nothing about objects, with `AlertFailed` when an alert did not
    /// leave, with `RecordWithoutMessageId` when a queue's record can be neither read nor named (what is not named would be
    /// deleted), and with `RecordsRefused` when an event that is no queue's holds a record that cannot be read.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Summary, InvocationError> {
        let found = read_object_events(event)?;
        found.objects.iter().for_each(log_object);
        log_others(&found);
        Ok(Summary {
            logged: found.objects.len(),
            refused: found.refused.len(),
            test_events: found.test_events.len(),
            alerts: self.alert(&found.objects, invocation).await?,
            batch_item_failures: batch_item_failures(&found)?,
        })
    }

    /// Alerts about the objects that are worth it, through both channels side by side; answers how many alerts left.
    async fn alert(&self, objects: &[ObjectEvent], invocation: &Invocation) -> Result<usize, InvocationError> {
        let Config { alert_phone_number, alert_topic_arn, alert_routes, .. } = &self.config;
        let objects: Vec<&ObjectEvent> = objects.iter().filter(|object| alert_routes.contain(&object.route)).collect();
        if objects.is_empty() {
            return Ok(0);
        }
        let objects = objects.as_slice();
        let time = invocation.remaining.map_or(DEFAULT_ALERT_TIME, |left| left.saturating_sub(DEADLINE_RESERVE));
        let sms = alert_phone_number.as_ref().map(|phone_number| async move {
            let text = alert::sms(objects);
            self.send("sms", objects, time, self.port.send_sms(phone_number.as_str(), &text)).await
        });
        let topic = alert_topic_arn.as_ref().map(|topic_arn| async move {
            let (subject, message) = (alert::subject(objects), alert::message(objects));
            self.send("topic", objects, time, self.port.publish(topic_arn.as_str(), &subject, &message)).await
        });
        let (sms, topic) = join(OptionFuture::from(sms), OptionFuture::from(topic)).await;
        let outcomes = [sms, topic].into_iter().flatten();
        let (sent, failed): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
        if failed.is_empty() {
            return Ok(sent.into_iter().flatten().filter(|completion| *completion == Completion::Done).count());
        }
        let problems: Vec<String> = failed.into_iter().filter_map(Result::err).collect();
        Err(InvocationError::new("AlertFailed", problems.join("; ")))
    }

    /// Waits for one channel to take its alert, unless it had it before, and logs the outcome. The error names the channel.
    async fn send(
        &self,
        channel: &'static str,
        objects: &[&ObjectEvent],
        time: Duration,
        sending: impl Future<Output = Result<(), CallError>>,
    ) -> Result<Completion, String> {
        let deadline = Deadline::after(Some(time));
        // With a table the outcome is recorded after it, and the claim before it takes of the same time.
        let until = if self.guard.is_some() { deadline.work_ends_at() } else { deadline.ends_at() };
        let sending = async {
            match tokio::time::timeout_at(until, sending).await {
                Ok(sent) => sent.map_err(RecordError::retry),
                Err(_) => Err(RecordError::retry(format!("no answer within {time:?}"))),
            }
        };
        let outcome = match self.guard.as_ref().zip(effect(channel, objects)) {
            None => sending.await.map(|()| Completion::Done),
            Some((guard, effect)) => guard.once(&effect, deadline, sending).await,
        };
        let count = objects.len();
        match &outcome {
            Ok(Completion::Done) => tracing::info!(alert.channel = channel, alert.objects = count, "alert sent"),
            Ok(_) => tracing::info!(alert.channel = channel, alert.objects = count, "alert sent before"),
            Err(error) => tracing::error!(alert.channel = channel, %error, "alert failed"),
        }
        outcome.map_err(|error| format!("{channel}: {error}"))
    }
}

/// One channel's alert about these objects; nothing where one of them cannot be told from another.
fn effect(channel: &str, objects: &[&ObjectEvent]) -> Option<Effect> {
    let names = objects.iter().map(|object| Some(Effect::of_object("", object)?.key("")));
    Effect::of_id(channel, &names.collect::<Option<String>>()?)
}

fn log_object(object: &ObjectEvent) {
    /// The same fields whatever happened; the sentence must be a literal.
    macro_rules! log {
        ($sentence:literal) => {
            tracing::info!(
                bucket.name = %object.bucket,
                object.key = %object.key,
                object.size_bytes = object.size_bytes,
                object.version_id = object.version_id.as_deref(),
                object.folder_marker = object.is_folder_marker().then_some(true),
                event.name = %object.name,
                route = %object.route,
                $sentence
            )
        };
    }
    match object.kind() {
        EventKind::ObjectCreated => log!("object created"),
        EventKind::ObjectRemoved => log!("object removed"),
        _ => log!("object event"),
    }
}

#[cfg(test)]
mod tests;
