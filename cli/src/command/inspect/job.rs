//! What the worker makes of one message: the rules of `functions/sqs-worker`, told without doing the work.

use serde_json::Value;
use sluicegate::events::{Foreign, Notification, Record, json::without_mark, read_object_events};

use super::layer::object;

/// The message attribute that names the job.
const JOB_TYPE: &str = "JobType";
const KNOWN: &str = "NewDonor, ObjectCreated, Drill";

/// What becomes of a message.
pub(super) enum Made {
    Job(String),
    Rejected(String),
}

pub(super) fn made_of(record: &Record) -> Made {
    match job(record) {
        Ok(text) => Made::Job(text),
        Err(why) => Made::Rejected(why),
    }
}

fn job(record: &Record) -> Result<String, String> {
    let named = record.attributes.get(JOB_TYPE).and_then(|attribute| attribute.as_text());
    job_in(named, without_mark(&record.body))
}

fn job_in(named: Option<&str>, text: &str) -> Result<String, String> {
    if let Some(notification) = Notification::from_envelope(text) {
        let inner = notification.attributes.get(JOB_TYPE).and_then(|attribute| attribute.as_text());
        return job_in(named.or(inner), &notification.message);
    }
    if let Some(foreign) = Foreign::known(text) {
        return Err(foreign.to_string());
    }
    let body: Value = serde_json::from_str(text).map_err(|error| format!("the body is not JSON: {error}"))?;
    match named {
        Some("NewDonor") => new_donor(&body),
        Some("ObjectCreated") => object_created(text),
        Some("Drill") => Ok(drill(&body)),
        Some(other) => Err(format!("unknown job type {other:?}; known: {KNOWN}")),
        None if body.get("name").is_some() => new_donor(&body),
        None if read_object_events(text).is_ok() => object_created(text),
        None if body.get("drill").is_some() => Ok(drill(&body)),
        None => Err(format!("no {JOB_TYPE} attribute, and the body has the shape of no job ({KNOWN})")),
    }
}

fn new_donor(body: &Value) -> Result<String, String> {
    let fields = body.as_object().ok_or("a donor is a JSON object, and this is not one")?;
    match fields.get("name").and_then(Value::as_str).map(str::trim) {
        None | Some("") => Err("the donor has no name".to_owned()),
        Some(_) => Ok("NewDonor registers a donor".to_owned()),
    }
}

fn object_created(body: &str) -> Result<String, String> {
    let found = read_object_events(body).map_err(|problem| problem.to_string())?;
    if let Some(refusal) = found.refused.first() {
        return Err(format!("a record of the notification cannot be read: {}", refusal.problem));
    }
    let created = found.objects.iter().filter(|object| object.may_be_new());
    let what: Vec<String> = created.map(object).collect();
    let tests = found.test_events.len();
    Ok(match (what.is_empty(), tests) {
        (true, 0) => "ObjectCreated finds no new object".to_owned(),
        (true, _) => "ObjectCreated acknowledges a test event".to_owned(),
        (false, _) => format!("ObjectCreated processes {}", what.join("; ")),
    })
}

fn drill(body: &Value) -> String {
    let order = body["drill"].as_str().unwrap_or("none");
    format!("Drill ({order}), where ENABLE_DRILLS is true; elsewhere it is rejected")
}
