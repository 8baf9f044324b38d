//! Jobs: what a message asks for. One job a file; adding one is a file and a line in [`JOBS`].

mod drill;
mod new_donor;
mod object_created;

use serde_json::Value;
use sluicegate::{delivery::RecordError, events::Record};

use crate::config::Config;

/// Every job the worker knows. Where a message names none, the first whose shape fits is taken.
const JOBS: &[&dyn Job] = &[&new_donor::NewDonor, &object_created::ObjectCreated, &drill::Drill];

/// The message attribute that names the job.
pub const JOB_TYPE: &str = "JobType";

/// What is done for one kind of message.
pub(crate) trait Job: Sync {
    /// As producers name it in the attribute `JobType`.
    fn name(&self) -> &'static str;

    /// Whether a body that came without the attribute is meant for this job.
    fn fits(&self, record: &Record, body: &Value) -> bool;

    /// What the business calls the effect of this message, so that a message sent twice has it once; `None` when the
    /// message itself is all there is to know it by.
    fn idempotency_key(&self, _record: &Record, _body: &Value) -> Option<String> {
        None
    }

    /// Does the work. It may be asked to do the same message again.
    fn run<'a>(&self, config: &'a Config, record: &'a Record, body: &'a Value) -> Work<'a>;
}

/// A job's work. Boxed, because jobs are picked at run time; one allocation a message.
pub(crate) type Work<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), RecordError>> + 'a>>;

/// Why no job could be picked. No other delivery of the message changes that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PickError {
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The attribute names a job that is not here.
    #[error("unknown job type {0:?}; known: {known}", known = names())]
    UnknownType(String),
    /// There is no attribute, and the body has the shape of no job.
    #[error("no {JOB_TYPE} attribute, and the body has the shape of no job ({known})", known = names())]
    UnknownShape,
}

/// A message and the job it asks for.
pub(crate) struct Picked {
    pub(crate) job: &'static dyn Job,
    pub(crate) body: Value,
}

/// Picks the job by the message's attribute, else by the shape of its body.
pub(crate) fn pick(record: &Record) -> Result<Picked, PickError> {
    let body: Value = serde_json::from_str(&record.body)?;
    let named = record.attributes.get(JOB_TYPE).and_then(|attribute| attribute.as_text());
    let job = match named {
        Some(name) => JOBS.iter().find(|job| job.name() == name).ok_or_else(|| PickError::UnknownType(name.to_owned())),
        None => JOBS.iter().find(|job| job.fits(record, &body)).ok_or(PickError::UnknownShape),
    };
    Ok(Picked { job: *job?, body })
}

fn names() -> String {
    JOBS.iter().map(|job| job.name()).collect::<Vec<_>>().join(", ")
}
