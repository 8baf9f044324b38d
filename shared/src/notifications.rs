//! A function on an SNS topic, from `main` to the answer.
//!
//! ```no_run
#![doc = include_str!("../examples/notifications.rs")]
//! ```
//!
//! SNS invokes asynchronously and reads no answer: Lambda keeps an event only if the invocation fails, tries it twice more,
//! and then sends it to the on-failure destination. So the invocation fails when a record cannot be read or its handler
//! fails, after the others had their turn. A record that cannot be read is a line `record refused`.
//! See [Using Lambda with Amazon SNS](https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html).

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    clock::{Clock, SystemClock},
    delivery::RecordError,
    events::{MalformedNotification, read_notifications},
    runtime::{self, InvocationError},
    settings::Settings,
    telemetry::Metrics,
};

pub use crate::events::Notification;

/// What the function answers. SNS does not read it; people who invoke it by hand do.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Notifications that were handled.
    pub done: usize,
}

/// Runs a function on a topic until Lambda ends the process.
pub async fn run(handler: impl AsyncFn(&Notification) -> Result<(), RecordError>) -> ExitCode {
    run_with(|_| Some(handler)).await
}

/// As [`run`], with a handler that is built from settings. `None` says that one which must be there is not.
pub async fn run_with<H: AsyncFn(&Notification) -> Result<(), RecordError>>(
    build: impl FnOnce(&mut Settings<'_>) -> Option<H>,
) -> ExitCode {
    runtime::run(|lookup| Settings::of(lookup, build), async |handler: &H, event, _| handle(event, handler).await).await
}

/// One invocation.
pub async fn handle(
    event: &str,
    handler: &impl AsyncFn(&Notification) -> Result<(), RecordError>,
) -> Result<Summary, InvocationError> {
    let found = read_notifications(event)?;
    let (size, arrived_at) = (found.records.len(), SystemClock.now());
    found.ignored.warn();
    let published = found.records.iter().flatten().filter_map(|notification| notification.published_at);
    let metrics = Metrics::new().batch(size).ages(published.map(Into::into), arrived_at);
    let (mut refused, mut failed) = (Vec::new(), Vec::new());
    for record in found.records {
        match record {
            Ok(notification) => {
                if let Err(reason) = handler(&notification).await {
                    let id = notification.message_id.as_deref();
                    tracing::error!(record.message_id = id, topic.arn = notification.topic_arn, %reason, "record failed");
                    failed.push(reason);
                }
            }
            Err(malformed) => {
                log_refusal(&malformed);
                refused.push(malformed);
            }
        }
    }
    metrics.count("RecordsMalformed", refused.len()).count("RecordsFailed", failed.len()).emit();
    if let Some(first) = refused.first() {
        return Err(refused_error(first, refused.len()));
    }
    InvocationError::of_records(&failed).map(|()| Summary { done: size })
}

/// Names the first; each has its line.
fn refused_error(first: &MalformedNotification, refused: usize) -> InvocationError {
    let id = first.message_id.as_deref().unwrap_or("unknown");
    let topic = first.topic_arn.as_deref().unwrap_or("unknown");
    let problem = &first.problem;
    let text = format!("{refused} refused, the first message {id} of topic {topic}: {problem}");
    InvocationError::new("RecordsRefused", text)
}

fn log_refusal(malformed: &MalformedNotification) {
    tracing::error!(
        record.message_id = malformed.message_id,
        topic.arn = malformed.topic_arn,
        problem = %malformed.problem,
        "record refused"
    );
}

#[cfg(test)]
mod tests;
