//! Cost against work: events of 1, 10, … 10,000 records.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use crate::{
    process::Running,
    progress::Progress,
    statistic::median,
    subject::{Kind, Subject, event},
};

/// Answers from one process to one event; the middle one counts.
const TRIPS: usize = 5;
/// How long an event of the largest size may take.
const LIMIT: Duration = Duration::from_mins(2);
/// The names under which an event keeps its records, and those under which a record keeps its own name.
const LISTS: [&str; 3] = ["Records", "records", "messages"];
const NAMES: [&str; 6] = ["messageId", "MessageId", "messageID", "recordId", "eventID", "sequencer"];

/// One size of one function's event.
#[derive(Debug, Serialize)]
pub struct Grown {
    /// The function.
    pub name: String,
    /// Records of the event.
    pub records: usize,
    /// The event as it goes over the wire.
    pub event_bytes: usize,
    /// The event there and its answer back: the median.
    pub took_ms: f64,
    /// Resident at the most.
    pub peak_mib: f64,
    /// All it logged, shared out.
    pub log_bytes_a_record: f64,
}

/// Sends each function events of these sizes, each size to a process of its own. What has no records does not grow.
pub fn measure(subjects: &[Subject], sizes: &[usize], progress: &Progress) -> Result<Vec<Grown>> {
    let mut grown = Vec::new();
    for subject in subjects.iter().filter(|subject| !matches!(subject.kind, Kind::Stock | Kind::Peer)) {
        let sample: Value = serde_json::from_slice(&subject.event)?;
        for records in sizes {
            let Some(large) = of_records(&sample, *records) else { continue };
            progress.say(&format!("growth: {} records to {}", records, subject.name));
            grown.push(one(&subject.given(&event(&large)), *records).with_context(|| subject.name.clone())?);
        }
    }
    Ok(grown)
}

fn one(subject: &Subject, records: usize) -> Result<Grown> {
    let process = Running::start(subject)?;
    process.ready()?;
    let event: &Arc<[u8]> = &subject.event;
    let took = process.api.invoke(event, TRIPS, LIMIT).with_context(|| process.logged())?.took;
    #[allow(clippy::cast_precision_loss, reason = "sizes of at most some millions")]
    let (peak_mib, log_bytes_a_record) =
        (process.memory()?.peak as f64 / 1024.0, process.logged_bytes()? as f64 / (TRIPS * records) as f64);
    Ok(Grown {
        name: subject.name.clone(),
        records,
        event_bytes: event.len(),
        took_ms: median(&took.iter().map(|took| took.as_secs_f64() * 1e3).collect::<Vec<f64>>()),
        peak_mib,
        log_bytes_a_record,
    })
}

/// The same event with its records over and over, each with an id of its own; `None` where it has none.
fn of_records(sample: &Value, count: usize) -> Option<Value> {
    let mut grown = sample.clone();
    let name = LISTS.into_iter().find(|list| sample[list].is_array());
    let records = match name {
        Some(name) => grown.get_mut(name)?.as_array_mut()?,
        // RabbitMQ: by queue.
        None => grown.get_mut("rmqMessagesByQueue")?.as_object_mut()?.values_mut().next()?.as_array_mut()?,
    };
    let samples = std::mem::take(records);
    records.extend(samples.iter().cycle().take(count).cloned().enumerate().map(numbered));
    Some(grown)
}

/// A record with an id of its own; what stands before a colon in the old one, a shard, is kept.
fn numbered((number, mut record): (usize, Value)) -> Value {
    for name in NAMES {
        if let Some(id @ Value::String(_)) = record.get_mut(name) {
            let before = id
                .as_str()
                .and_then(|id| id.split_once(':'))
                .map_or("5b78027d-b705-4dfc-873b-".to_owned(), |(shard, _)| format!("{shard}:"));
            *id = Value::from(format!("{before}{number:012}"));
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_repeated_under_ids_of_their_own() {
        let sample = json!({"Records": [{"messageId": "a", "body": "x"}, {"messageId": "b", "body": "y"}]});
        let grown = of_records(&sample, 5).unwrap();
        let records = grown["Records"].as_array().unwrap();
        let ids: HashSet<&str> = records.iter().map(|record| record["messageId"].as_str().unwrap()).collect();
        assert_eq!((records.len(), ids.len()), (5, 5));
        assert_eq!(records[3]["body"], "y");
    }

    #[test]
    fn what_has_no_records_does_not_grow() {
        assert_eq!(of_records(&json!({"detail-type": "Scheduled Event"}), 10), None);
    }
}
