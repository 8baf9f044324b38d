//! What the log says of a batch.

use std::time::Duration;

use super::{
    fate::Fate,
    report::{Delivery, Report},
    trace::trace_links,
};
use crate::events::Record;

impl Report {
    /// Logs every message that was not done now, and one line for the batch. What was done is the handler's own to log.
    ///
    /// `job_type` names the work a record asked for, see [`Work::name`](super::Work::name); `duration` is the whole batch's.
    pub fn log<'r>(&'r self, duration: Duration, job_type: impl Fn(&'r Record) -> Option<&'r str>) {
        for delivery in &self.deliveries {
            delivery.log(&job_type);
        }
        let records = self.deliveries.iter().filter_map(|delivery| delivery.record.as_ref().ok());
        tracing::info!(
            queue.name = %self.queue,
            door = self.source.as_str(),
            batch.size = self.size(),
            batch.failures = self.ids(|delivery| delivery.fate.is_failure()).len(),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            trace.links = trace_links(records.filter_map(|record| record.trace_header.as_deref())),
            "batch finished"
        );
    }
}

impl Delivery {
    /// Of what is done nobody asks for the type: it may have to be read out of the body.
    pub(crate) fn log<'r>(&'r self, job_type: impl Fn(&'r Record) -> Option<&'r str>) {
        let record = match &self.record {
            Ok(record) => record,
            Err(malformed) => {
                let (message_id, problem) = (&malformed.message_id, &malformed.problem);
                tracing::error!(record.message_id = %message_id, %problem, "record refused");
                return;
            }
        };
        let (message_id, fate) = (&record.message_id, self.fate.as_str());
        let (reason, retry_after_s) = (self.fate.error().map(tracing::field::display), self.delay.map(|d| d.as_secs()));
        match &self.fate {
            Fate::Done => {}
            Fate::Duplicate => {
                tracing::info!(record.message_id = %message_id, job.r#type = job_type(record), "job already done");
            }
            Fate::Retry(_) | Fate::Rejected(_) | Fate::GivenUp(_) => tracing::warn!(
                record.message_id = %message_id,
                job.r#type = job_type(record),
                fate,
                reason,
                receive_count = record.receive_count,
                retry_after_s,
                "job failed"
            ),
            Fate::Waiting(_) | Fate::OutOfTime | Fate::NotStarted | Fate::Blocked | Fate::Abandoned => {
                tracing::info!(record.message_id = %message_id, fate, reason, retry_after_s, "job handed back");
            }
        }
    }
}
