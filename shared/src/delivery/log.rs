//! What the log says of a batch.

use std::time::Duration;

use super::{engine::Report, fate::Fate, trace::trace_links};
use crate::events::Record;

impl Report {
    /// Logs every record that was not done, and one line for the batch. What was done is the handler's own to log.
    ///
    /// `job_type` names the work a record asked for, where it is known; `duration` is the whole batch's.
    pub fn log<'r>(&'r self, duration: Duration, job_type: impl Fn(&'r Record) -> Option<&'r str>) {
        for (index, (record, outcome)) in self.records.iter().zip(&self.outcomes).enumerate() {
            let fate = &outcome.fate;
            match fate {
                Fate::Done | Fate::Duplicate => {}
                Fate::Retry(_) | Fate::Rejected(_) | Fate::DeadLettered(_) | Fate::Abandoned => tracing::warn!(
                    record.message_id = %record.message_id,
                    job.r#type = job_type(record),
                    fate = fate.as_str(),
                    reason = fate.error().map(tracing::field::display),
                    receive_count = record.receive_count,
                    retry_after_s = self.settled.delays.get(&index).map(Duration::as_secs),
                    "job failed"
                ),
                Fate::NotStarted | Fate::Blocked => {
                    tracing::info!(record.message_id = %record.message_id, fate = fate.as_str(), "job handed back");
                }
            }
        }
        for record in &self.malformed {
            tracing::error!(record.message_id = %record.message_id, problem = %record.problem, "record refused");
        }
        let links = trace_links(self.records.iter().filter_map(|record| record.trace_header.as_deref()));
        tracing::info!(
            queue.name = %self.queue,
            door = self.door.as_str(),
            batch.size = self.size(),
            batch.failures = self.failed_ids().len(),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            trace.links = links,
            "batch finished"
        );
    }
}
