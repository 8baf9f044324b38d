//! Prints each message: producer, job type, body.

use serde_json::json;

use super::Delivery;
use crate::output::Output;

/// The attribute by which a producer names itself.
const PRODUCER: &str = "Producer";
/// The attribute that names the job.
const JOB_TYPE: &str = "JobType";

#[derive(Debug)]
pub(crate) struct Print {
    pub(crate) output: Output,
}

impl Print {
    /// Fails only when nobody reads any more.
    pub(super) fn run(&self, delivery: Delivery<'_>) -> anyhow::Result<()> {
        let record = delivery.record;
        let attribute = |name: &str| record.attributes.get(name).and_then(|attribute| attribute.as_text());
        let producer = attribute(PRODUCER).or(delivery.sender_id);
        let job_type = attribute(JOB_TYPE);
        let value = json!({
            "messageId": record.message_id,
            "producer": producer,
            "jobType": job_type,
            "body": record.body,
            "receiveCount": record.receive_count,
            "groupId": record.group_id,
        });
        self.output.result(|| self.line([producer.unwrap_or("-"), job_type.unwrap_or("-"), &record.body]), &value)
    }

    /// Columns for people, tabs for programs.
    fn line(&self, parts: [&str; 3]) -> String {
        let [producer, job_type, body] = parts.map(|part| self.output.shown(part));
        if self.output.is_terminal() {
            format!("{producer:<20}  {job_type:<14}  {body}")
        } else {
            format!("{producer}\t{job_type}\t{body}")
        }
    }
}
