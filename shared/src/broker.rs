//! A function on a broker of Amazon MQ, ActiveMQ or RabbitMQ, from `main` to the answer.
//!
//! ```no_run
//! use sluicegate::broker::{self, BrokerMessage, RecordError};
//!
//! async fn take(message: &BrokerMessage) -> Result<(), RecordError> {
//!     tracing::info!(bytes = message.body.len(), "a message came");
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     broker::run(async |message, _| take(message).await).await
//! }
//! ```
//!
//! A message that cannot be read is logged as an error, and the function succeeds all the same. An Amazon MQ mapping
//! knows no partial answer: after an error the broker delivers the *whole* batch again, the good messages too, and the
//! bad one does not get better by it. From ActiveMQ Lambda takes up to six redeliveries before the broker moves all of
//! them to its dead-letter queue; RabbitMQ does not count, and goes on until a time to live or a policy of its own ends
//! it. Neither is a setting of the mapping. So the line `record refused` is where a bad message ends, with its body: keep
//! its log group, and alarm on the metric `RecordsMalformed`. An event that is no broker's at all still fails the
//! invocation: then the wiring is wrong, and nothing of it may be acknowledged.
//!
//! A handler that fails fails the invocation, once the others had their turn: the whole batch comes again.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    events::{MalformedMessage, read_broker_messages},
    runtime::{self, InvocationError},
    settings::Settings,
    telemetry::Metrics,
};

pub use crate::{delivery::RecordError, events::BrokerMessage};

/// How much of a refused message's body is logged: what one line of `CloudWatch` holds, with room for the rest of it.
/// Escaped it may be longer than it is.
const MAX_REFUSED_BYTES: usize = 1_000_000;

/// What the function answers. Lambda does not read it; people who invoke it by hand do.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Messages that were handled.
    pub done: usize,
    /// Messages that could not be read.
    pub refused: usize,
}

/// What is done with a message; the text is the broker's ARN, where the event says it.
pub trait Handler: AsyncFn(&BrokerMessage, Option<&str>) -> Result<(), RecordError> {}
impl<F: AsyncFn(&BrokerMessage, Option<&str>) -> Result<(), RecordError>> Handler for F {}

/// Runs a function on a broker until Lambda ends the process.
pub async fn run(handler: impl Handler) -> ExitCode {
    run_with(|_| Some(handler)).await
}

/// As [`run`], with a handler that is built from settings. `None` says that one which must be there is not.
pub async fn run_with<H: Handler>(build: impl FnOnce(&mut Settings<'_>) -> Option<H>) -> ExitCode {
    runtime::run(|lookup| Settings::of(lookup, build), async |handler: &H, event, _| handle(event, handler).await).await
}

/// One invocation.
pub async fn handle(event: &str, handler: &impl Handler) -> Result<Summary, InvocationError> {
    let event = read_broker_messages(event)?;
    let broker_arn = event.broker_arn.as_deref();
    event.ignored.warn();
    let (mut summary, mut failed) = (Summary::default(), Vec::new());
    for message in event.messages {
        match message {
            Ok(message) => match handler(&message, broker_arn).await {
                Ok(()) => summary.done += 1,
                Err(reason) => {
                    let id = message.message_id.as_deref();
                    tracing::error!(record.message_id = id, queue.name = message.queue, %reason, "record failed");
                    failed.push(reason);
                }
            },
            Err(malformed) => {
                log_refusal(broker_arn, &malformed);
                summary.refused += 1;
            }
        }
    }
    Metrics::new()
        .batch(summary.done + summary.refused + failed.len())
        .count("RecordsMalformed", summary.refused)
        .count("RecordsFailed", failed.len())
        .emit();
    InvocationError::of_records(&failed).map(|()| summary)
}

/// With its body, since the broker forgets the message.
fn log_refusal(broker_arn: Option<&str>, malformed: &MalformedMessage) {
    let MalformedMessage { queue, message_id, place, body, problem } = malformed;
    let shown = cut_escaped(body, MAX_REFUSED_BYTES);
    tracing::error!(
        record.message_id = message_id,
        record.place = message_id.is_none().then_some(place),
        broker.arn = broker_arn,
        queue.name = queue,
        %problem,
        body = shown,
        record.truncated = (shown.len() < body.len()).then_some(true),
        "record refused"
    );
}

/// The longest beginning of which no more than `max_bytes` stand in a line once JSON has escaped it.
fn cut_escaped(text: &str, max_bytes: usize) -> &str {
    let mut left = max_bytes;
    let end = text.char_indices().find(|(_, character)| {
        let bytes = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            character if character.is_control() => 6,
            // Marks that turn the writing direction are escaped as well.
            character if !character.is_ascii() => 6.max(character.len_utf8()),
            _ => 1,
        };
        left.checked_sub(bytes).map(|rest| left = rest).is_none()
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

#[cfg(test)]
mod tests;
