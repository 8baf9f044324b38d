//! Sending, with what became of each message printed as it is known.

use std::{cell::Cell, time::Duration};

use anyhow::bail;
use futures::{StreamExt, future::ready, stream};
use serde::Serialize;
use sluicegate::delivery::Failure;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    connection::OpenQueue,
    outgoing::{Outgoing, Sent, SqsPort, batches, deliver},
    output::{Output, Progress},
    stop::Stop,
};

/// Calls under way at a time. A FIFO queue has one, or the order would be left to chance.
const CALLS: usize = 8;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<&'a str>,
}

/// What became of the messages so far.
struct Report {
    output: Output,
    progress: Progress,
    total: usize,
    sent: usize,
    failed: usize,
    was_stopped: bool,
}

/// Sends batches that are as full as SQS takes them.
pub(crate) async fn batched(open: &OpenQueue, messages: &[Outgoing], output: Output) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let mut report = Report::new(output, messages.len());
    let is_over = Cell::new(false);
    let calls = if open.queue.is_fifo() { 1 } else { CALLS };
    let port = SqsPort(open);
    let mut results = stream::iter(batches(messages))
        .take_while(|_| ready(!is_over.get()))
        .map(|batch| deliver(&port, &messages[batch]))
        .buffered(calls);
    loop {
        let results = tokio::select! {
            // What is under way is waited for, so that every message that was taken is printed.
            () = stop.requested() => {
                if is_over.replace(true) {
                    bail!("stopped at once: {} of {} messages are known to be sent", report.sent, report.total);
                }
                report.was_stopped = true;
                continue;
            }
            results = results.next() => results,
        };
        let Some(results) = results else { return report.finish() };
        let results = results.map_err(|error| report.interrupted(error))?;
        report.add(&results)?;
        // Later messages must not overtake the one that failed.
        if open.queue.is_fifo() && report.failed > 0 {
            is_over.set(true);
        }
    }
}

/// Sends one message at a time, `every` so often.
pub(crate) async fn paced(
    open: &OpenQueue,
    messages: &[Outgoing],
    every: Duration,
    output: Output,
) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let mut report = Report::new(output, messages.len());
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for message in messages {
        tokio::select! {
            () = stop.requested() => { report.was_stopped = true; break; }
            _ = ticks.tick() => {}
        }
        let results = deliver(&SqsPort(open), std::slice::from_ref(message)).await;
        let results = results.map_err(|error| report.interrupted(error))?;
        report.add(&results)?;
        if open.queue.is_fifo() && report.failed > 0 {
            break;
        }
    }
    report.finish()
}

impl Report {
    fn new(output: Output, total: usize) -> Self {
        let progress = Progress::new(output, total as u64, "messages");
        Self { output, progress, total, sent: 0, failed: 0, was_stopped: false }
    }

    fn add(&mut self, results: &[Result<Sent, Failure>]) -> anyhow::Result<()> {
        self.progress.add(results.len() as u64);
        let first = self.sent + self.failed + 1;
        for result in results {
            match result {
                Ok(_) => self.sent += 1,
                Err(_) => self.failed += 1,
            }
        }
        let output = self.output;
        self.progress.around(|| {
            for (number, result) in (first..).zip(results) {
                match result {
                    Ok(Sent { message_id, sequence_number }) => output.result(
                        || output.shown(message_id).into_owned(),
                        &Line { message_id, sequence_number: sequence_number.as_deref() },
                    )?,
                    Err(failure) => output.note(&format!("message {number} was not sent: {failure}")),
                }
            }
            Ok(())
        })
    }

    /// A call that failed as a whole: with how far it had come.
    fn interrupted(&self, error: anyhow::Error) -> anyhow::Error {
        if self.total == 1 {
            return error;
        }
        error.context(format!("only {} of {} messages are known to be sent", self.sent, self.total))
    }

    fn finish(self) -> anyhow::Result<()> {
        let Self { output, total, sent, was_stopped, .. } = self;
        drop(self.progress);
        if sent == total {
            // One message's id says enough.
            if total > 1 {
                output.note(&format!("sent {total} messages"));
            }
            return Ok(());
        }
        let reason = if was_stopped { "stopped: " } else { "" };
        bail!("{reason}{sent} of {total} messages were sent")
    }
}
