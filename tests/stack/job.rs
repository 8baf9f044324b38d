//! Jobs, and sending them.

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use sluicegate::clock::{Clock, SystemClock};

use super::Stack;

/// Sends of ten messages that are under way at the same time.
const SENDS_AT_ONCE: usize = 4;

/// A message for the worker.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Job {
    /// A donor that the business knows by `id`.
    pub(crate) fn donor(id: &str) -> Self {
        Self { kind: "NewDonor", body: json!({"id": id, "name": "Ada"}).to_string() }
    }

    /// A donor without a name: rejected at the first try.
    pub(crate) fn nameless(id: &str) -> Self {
        Self { kind: "NewDonor", body: json!({"id": id, "name": ""}).to_string() }
    }

    /// A drill that does what `order` says; `mark` tells it from others.
    pub(crate) fn drill(mark: &str, order: Value) -> Self {
        let mut body = order;
        body["mark"] = json!(mark);
        Self { kind: "Drill", body: body.to_string() }
    }
}

/// A word that no other run has used, for the bodies of one test's messages.
pub(crate) fn run_mark(test: &str) -> String {
    let now = SystemClock.now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{test}-{:x}", now.as_millis())
}

/// The attribute that names the job.
pub(crate) fn job_type(kind: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(kind).build().unwrap()
}

/// Sends jobs to a queue, ten a call; answers their message ids in the order of the jobs.
pub(crate) async fn send(stack: &Stack, queue: &str, jobs: &[Job]) -> Vec<String> {
    let calls = jobs.chunks(10).map(|chunk| send_ten(stack, queue, chunk));
    stream::iter(calls).buffered(SENDS_AT_ONCE).flat_map(stream::iter).collect().await
}

async fn send_ten(stack: &Stack, queue: &str, jobs: &[Job]) -> Vec<String> {
    let entries = jobs.iter().enumerate().map(|(place, job)| {
        SendMessageBatchRequestEntry::builder()
            .id(place.to_string())
            .message_body(&job.body)
            .message_attributes("JobType", job_type(job.kind))
            .build()
            .unwrap()
    });
    let request = stack.sqs.send_message_batch().queue_url(stack.output(queue));
    let mut sent = request.set_entries(Some(entries.collect())).send().await.unwrap().successful;
    assert_eq!(sent.len(), jobs.len(), "not every job was taken");
    sent.sort_by_key(|entry| entry.id.parse::<usize>().unwrap());
    sent.into_iter().map(|entry| entry.message_id).collect()
}
