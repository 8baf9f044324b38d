//! What is measured of a batch.

use std::time::SystemTime;

use super::values::Metrics;
use crate::delivery::{Delivery, Fate, Outcome, Report};

impl Metrics {
    /// What became of a queue's batch that arrived at `arrived_at`.
    pub fn of_report(report: &Report, arrived_at: SystemTime) -> Self {
        let records = || report.deliveries.iter().filter_map(|delivery| delivery.record.as_ref().ok());
        let readable = || report.deliveries.iter().filter(|delivery| delivery.record.is_ok());
        let ran = readable().filter(|delivery| !delivery.duration.is_zero());
        let metrics = Self::of("queue", report.queue.name())
            .batch(report.size())
            .count("RecordsMalformed", report.size() - records().count() + report.unnamed)
            .count("RecordsNotDeleted", report.ids(Delivery::is_not_deleted).len())
            .durations("HandlerDuration", ran.map(|delivery| delivery.duration))
            .ages(records().filter_map(|record| record.sent_at).map(SystemTime::from), arrived_at);
        readable().fold(metrics, |metrics, delivery| metrics.fate(&delivery.fate))
    }

    /// A batch of so many records, readable or not.
    pub fn batch(self, records: usize) -> Self {
        self.count("Records", records).count("BatchSize", records)
    }

    /// The fates of records: failures by kind, duplicates, and how long handlers ran.
    pub fn outcomes(self, outcomes: &[Outcome]) -> Self {
        let ran = outcomes.iter().filter(|outcome| !matches!(outcome.fate, Fate::NotStarted | Fate::Blocked));
        let metrics = self.durations("HandlerDuration", ran.map(|outcome| outcome.duration));
        outcomes.iter().fold(metrics, |metrics, outcome| metrics.fate(&outcome.fate))
    }

    fn fate(self, fate: &Fate) -> Self {
        match name_of(fate) {
            Some(name) => self.count(name, 1),
            None => self,
        }
    }
}

/// Names are bounded by what can become of a record.
fn name_of(fate: &Fate) -> Option<&'static str> {
    match fate {
        Fate::Done => None,
        Fate::Duplicate => Some("Duplicates"),
        Fate::Retry(_) => Some("RecordsRetried"),
        Fate::Rejected(_) => Some("RecordsRejected"),
        Fate::GivenUp(_) => Some("RecordsGivenUp"),
        Fate::Waiting(_) => Some("RecordsWaiting"),
        Fate::OutOfTime => Some("RecordsOutOfTime"),
        Fate::NotStarted => Some("RecordsNotStarted"),
        Fate::Blocked => Some("RecordsBlocked"),
        Fate::Abandoned => Some("RecordsAbandoned"),
    }
}
