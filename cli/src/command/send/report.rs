//! What became of each message, printed as it is known.

use anyhow::bail;
use serde::Serialize;

use crate::{
    batch::{Delivered, End, Refused, Report},
    outgoing::{Outgoing, Sent, SqsPort},
    output::{Output, Progress},
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<&'a str>,
}

/// What became of the messages so far.
pub(super) struct Sending {
    output: Output,
    progress: Progress,
    /// Where that can be known before the end.
    total: Option<u64>,
    sent: u64,
    failed: u64,
}

impl Report<SqsPort<'_>> for Sending {
    fn delivered(&mut self, _: Vec<Outgoing>, delivered: Delivered<Sent>) -> anyhow::Result<()> {
        let output = self.output;
        self.progress.add(delivered.results.len() as u64);
        for result in delivered.results {
            match result {
                Ok(Sent { message_id, sequence_number }) => {
                    self.sent += 1;
                    let line = Line { message_id: &message_id, sequence_number: sequence_number.as_deref() };
                    let text = || output.shown(&message_id).into_owned();
                    self.progress.around(|| output.result(text, &line))?;
                }
                Err(failure) => {
                    self.failed += 1;
                    let number = self.sent + self.failed;
                    self.progress.around(|| output.note(&format!("message {number} was not sent: {failure}")));
                }
            }
        }
        Ok(())
    }

    /// What is behind it may belong to it.
    fn refused(&mut self, refused: Refused) -> anyhow::Result<()> {
        Err(refused.into_error("message"))
    }
}

impl Sending {
    pub(super) fn new(output: Output, total: Option<u64>) -> Self {
        let progress = total
            .map_or_else(|| Progress::open_ended(output, "messages"), |total| Progress::new(output, total, "messages"));
        Self { output, progress, total, sent: 0, failed: 0 }
    }

    pub(super) fn finish(self, outcome: anyhow::Result<End>) -> anyhow::Result<()> {
        let Self { output, progress, total, sent, failed } = self;
        drop(progress);
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        match outcome {
            Err(error) if total == Some(1) => Err(error),
            Err(error) if sent == 0 => Err(error.context("nothing is known to be sent")),
            Err(error) => Err(error.context(format!("only {sent}{of} messages are known to be sent"))),
            Ok(End::Stopped) if total.is_none_or(|total| sent < total) => {
                bail!("stopped: {sent}{of} messages were sent")
            }
            Ok(_) if failed > 0 => bail!("{sent} of {} messages were sent", total.unwrap_or(sent + failed)),
            Ok(_) => {
                // One message's id says enough.
                if sent != 1 {
                    output.note(&format!("sent {sent} messages"));
                }
                Ok(())
            }
        }
    }
}
