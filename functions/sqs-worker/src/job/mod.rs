//! Jobs: what a message asks for. One job a file; adding one is a file, a variant of [`Job`] and a line in [`read`].
//!
//! A body is read once, into what its job wants of it. Members that no job reads are skipped, whatever they hold.

mod drill;
mod new_donor;
mod object_created;

use std::{borrow::Cow, fmt};

use sluicegate::{
    delivery::RecordError,
    events::{
        EventError, Foreign, Record, is_envelope,
        json::{Field, fields, without_mark},
    },
    idempotency::Effect,
};

use self::{drill::Drill, new_donor::NewDonor, object_created::ObjectCreated};
use crate::Jobs;

/// The message attribute that names the job.
pub const JOB_TYPE: &str = "JobType";

/// As producers name the jobs in that attribute.
const NAMES: &str = "NewDonor, ObjectCreated, Drill";

/// Envelopes of SNS around a job: one is usual, a few are let through.
const MAX_ENVELOPES: usize = 4;

/// What one message asks for, read and found to be complete.
#[derive(Debug)]
pub enum Job<'r> {
    /// Somebody gave.
    NewDonor(NewDonor<'r>),
    /// Objects came into a bucket.
    ObjectCreated(ObjectCreated),
    /// To do as told.
    Drill(Drill),
}

/// Why a message asks for nothing that could be done. No other delivery of it changes that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The body is not what its job needs.
    #[error(transparent)]
    Unreadable(#[from] EventError),
    /// The attribute names a job that is not here.
    #[error("the attribute {JOB_TYPE} names no job of this function; known: {NAMES}")]
    UnknownType,
    /// There is no attribute, and the body has the shape of no job.
    #[error("no {JOB_TYPE} attribute, and the body has the shape of no job ({NAMES})")]
    UnknownShape,
    /// A drill that is none.
    #[error("the drill is none of {}", drill::ACTS)]
    UnknownDrill,
}

/// Reads the job a message asks for: by its attribute, else by the shape of its body; inside SNS's envelope too.
pub(crate) fn read(record: &Record) -> Result<Job<'_>, ReadError> {
    let named = record.attributes.get(JOB_TYPE).and_then(|attribute| attribute.as_text());
    read_body(named, &record.body, 0)
}

fn read_body<'b>(named: Option<&str>, body: &'b str, envelopes: usize) -> Result<Job<'b>, ReadError> {
    const NAMES: [&str; 14] = [
        "Type",
        "TopicArn",
        "Message",
        "MessageAttributes",
        "name",
        "id",
        "drill",
        "until_receive",
        "sleep_ms",
        "Records",
        "Event",
        "source",
        "detail-type",
        "detail",
    ];
    let body = without_mark(body);
    let found = fields(body, "job", NAMES).map_err(|problem| Foreign::known(body).map_or(problem, EventError::from))?;
    let [kind, topic, message, attributes, name, id, drill, until_receive, sleep_ms, objects @ ..] = found;
    if envelopes < MAX_ENVELOPES && is_envelope([&kind, &topic, &message]) {
        let inner_name = attribute_named(&attributes);
        let named = named.or(inner_name.as_deref());
        return match message.needed_or_empty("SNS notification") {
            Ok(Cow::Borrowed(text)) => read_body(named, text, envelopes + 1),
            Ok(Cow::Owned(text)) => read_body(named, &text, envelopes + 1).map(Job::into_owned),
            // Not a text: the job as it stands.
            Err(problem) => match message.json() {
                Some(json) => read_body(named, json, envelopes + 1),
                None => Err(problem.into()),
            },
        };
    }
    let job = match named {
        Some("NewDonor") => Job::NewDonor(NewDonor::read(&name, &id)?),
        Some("ObjectCreated") => Job::ObjectCreated(ObjectCreated::read(body)?),
        Some("Drill") => Job::Drill(Drill::read(&drill, &until_receive, &sleep_ms)?),
        Some(_) => return Err(ReadError::UnknownType),
        None if name.is_there() => Job::NewDonor(NewDonor::read(&name, &id)?),
        None if object_created::fits(&objects) => Job::ObjectCreated(ObjectCreated::read(body)?),
        None if drill.is_there() => Job::Drill(Drill::read(&drill, &until_receive, &sleep_ms)?),
        None => {
            return Err(
                Foreign::known(body).map_or(ReadError::UnknownShape, |foreign| EventError::from(foreign).into())
            );
        }
    };
    Ok(job)
}

/// The job's name among the attributes of an envelope, in either spelling.
fn attribute_named<'b>(attributes: &Field<'b>) -> Option<Cow<'b, str>> {
    let [value, string_value] = attributes.inside(["JobType.Value", "JobType.StringValue"])?;
    value.quiet_text().or_else(|| string_value.quiet_text())
}

impl Job<'_> {
    /// As producers name it in the attribute `JobType`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::NewDonor(_) => "NewDonor",
            Self::ObjectCreated(_) => "ObjectCreated",
            Self::Drill(_) => "Drill",
        }
    }

    /// Why it is rejected once it has done what it can of it.
    #[must_use]
    pub fn refusal(&self) -> Option<RecordError> {
        match self {
            Self::ObjectCreated(created) => created.refusal(),
            Self::NewDonor(_) | Self::Drill(_) => None,
        }
    }

    /// The effect that is to happen once; `None` when the message itself is all there is to know it by.
    pub(crate) fn effect(&self) -> Option<Effect> {
        match self {
            Self::NewDonor(donor) => donor.effect(self.name()),
            Self::ObjectCreated(created) => created.effect(self.name()),
            Self::Drill(_) => None,
        }
    }

    /// Does the work. It may be asked to do the same message again.
    pub(crate) async fn run(self, jobs: Jobs, record: &Record) -> Result<(), RecordError> {
        match self {
            Self::NewDonor(donor) => {
                donor.run(record);
                Ok(())
            }
            Self::ObjectCreated(created) => created.run(record),
            Self::Drill(drill) => drill.run(jobs, record).await,
        }
    }

    /// The same job, independent of the body it was read from.
    fn into_owned<'o>(self) -> Job<'o> {
        match self {
            Self::NewDonor(donor) => Job::NewDonor(donor.into_owned()),
            Self::ObjectCreated(created) => Job::ObjectCreated(created),
            Self::Drill(drill) => Job::Drill(drill),
        }
    }
}

/// What it would do, as `sluice inspect` says it.
impl fmt::Display for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name())?;
        match self {
            Self::NewDonor(_) => f.write_str("registers a donor"),
            Self::ObjectCreated(created) => created.fmt(f),
            Self::Drill(drill) => drill.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
