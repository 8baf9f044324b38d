//! Prints each message: producer, job type, body.

use sluicegate::{
    clock::{Clock, SystemClock},
    consumer::Received,
};

use crate::{message, output::Output};

/// The attribute by which a producer names itself.
const PRODUCER: &str = "Producer";
/// The attribute that names the job.
const JOB_TYPE: &str = "JobType";

#[derive(Debug)]
pub(crate) struct Print {
    pub(crate) output: Output,
}

impl Print {
    /// Waits until it is printed; fails when it is not.
    pub(super) async fn run(&self, received: Received<'_>) -> anyhow::Result<()> {
        let record = received.record;
        let attribute = |name: &str| record.attributes.get(name).and_then(|attribute| attribute.as_text());
        let producer = attribute(PRODUCER).or(received.sender_id).unwrap_or("-");
        let line = || self.line([producer, attribute(JOB_TYPE).unwrap_or("-"), &record.body]);
        self.output.deliver(line, &message::json(record, SystemClock.now())).await
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
