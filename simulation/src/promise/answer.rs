//! What a function answers, held to what it was asked.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::life::ids_of;

/// How a problem is noted in the history.
pub(crate) const PROBLEM: &str = "wrong answer: ";

/// The worker's answer names messages of its batch, none twice, and counts each once.
pub(crate) fn check_answer(event: &str, answer: &Value) -> Result<(), String> {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let id =
        |record: &Value| record["messageId"].as_str().or_else(|| record["MessageId"].as_str()).map(ToOwned::to_owned);
    let records = event["Records"].as_array().or_else(|| event["messages"].as_array());
    let batch: BTreeSet<String> = records.into_iter().flatten().filter_map(id).collect();
    let lists = ["batchItemFailures", "failed", "not_deleted", "dead_lettered", "deleted_late"];
    let named: Vec<String> = lists.iter().flat_map(|list| ids_of(answer, list)).collect();
    let distinct: BTreeSet<&String> = named.iter().collect();
    if distinct.len() != named.len() {
        return Err(format!("{PROBLEM}a message is named twice: {answer}"));
    }
    if !named.iter().all(|id| batch.contains(id)) {
        return Err(format!("{PROBLEM}a message is named that was not in the batch: {answer}"));
    }
    let done = answer["done"].as_u64().and_then(|done| usize::try_from(done).ok());
    if done.is_some_and(|done| done + named.len() != batch.len()) {
        return Err(format!("{PROBLEM}{} messages, and not each in one count: {answer}", batch.len()));
    }
    Ok(())
}

/// Every message that the poller received is in one of its counts.
pub(crate) fn check_summary(summary: &Value) -> Result<(), String> {
    let count = |name: &str| summary[name].as_u64().unwrap_or(0);
    let counts = ["dispatched", "returned", "left", "dead_lettered"].map(count).iter().sum::<u64>();
    if count("received") == counts { Ok(()) } else { Err(format!("{PROBLEM}counts do not add up: {summary}")) }
}
