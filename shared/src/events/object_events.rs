//! One entry point for object events, however many envelopes are around them.

use std::borrow::Cow;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    error::EventError,
    route::{Hop, Route},
    s3::{Notified, ObjectEvent},
    sns::Notification,
    sqs::Record,
};

/// S3 → EventBridge → SNS → SQS is the longest way AWS makes (three around the event); one more is let through.
const MAX_ENVELOPES: usize = 4;

const EXPECTED: &str = "an S3 notification or an S3 event of EventBridge, perhaps inside SNS or SQS";

/// What an event says about objects, in the order of its records.
#[derive(Debug, Default)]
pub struct ObjectEvents {
    /// What happened to objects.
    pub objects: Vec<ObjectEvent>,
    /// The messages S3 sends when a notification is set up. They need no work and are no error.
    pub test_events: Vec<TestEvent>,
    /// Records that could not be read. The others are not touched by them.
    pub refused: Vec<Refusal>,
}

/// `s3:TestEvent`: S3 tried whether it may send here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestEvent {
    /// The bucket whose notification was set up.
    pub bucket: String,
    /// The way it came.
    pub route: Route,
}

/// A record that says nothing of objects, or says it wrongly.
#[derive(Debug)]
pub struct Refusal {
    /// The message it was in, when it came from a queue: what a batch item failure names.
    pub message_id: Option<String>,
    /// What is wrong.
    pub problem: EventError,
}

/// Peels every envelope off an event and reads the object events inside.
///
/// Takes S3 · S3 → SNS · S3 → SQS · S3 → SNS → SQS (wrapped or raw) · S3 → EventBridge, alone or through SNS and SQS.
/// Fails only when the event as a whole is none of these; a bad record beside good ones is a [`Refusal`].
///
/// ```
/// # use sluicegate::events::object_events;
/// let events = object_events(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"uploads"}"#)?;
/// assert_eq!(events.test_events[0].bucket, "uploads");
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn object_events(event: &str) -> Result<ObjectEvents, EventError> {
    let mut found = ObjectEvents::default();
    Peeler { found: &mut found, peeled: Vec::new(), message_id: None }.peel(event)?;
    Ok(found)
}

/// The keys by which the shapes differ. None is read as more than JSON before the shape is known: a user's own event
/// may use the same names for other things.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Shape<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "Event", borrow)]
    event: Option<&'a RawValue>,
    #[serde(rename = "Bucket", borrow)]
    bucket: Option<&'a RawValue>,
    #[serde(rename = "TopicArn", borrow)]
    topic_arn: Option<&'a RawValue>,
    #[serde(rename = "detail-type", borrow)]
    detail_type: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Source<'a> {
    #[serde(rename = "eventSource", alias = "EventSource", borrow)]
    name: Option<Cow<'a, str>>,
}

struct Peeler<'f> {
    found: &'f mut ObjectEvents,
    /// The envelopes taken off so far, the outermost first.
    peeled: Vec<Hop>,
    message_id: Option<String>,
}

impl Peeler<'_> {
    fn peel(&mut self, json: &str) -> Result<(), EventError> {
        if self.peeled.len() > MAX_ENVELOPES {
            return Err(EventError::TooDeep { limit: MAX_ENVELOPES });
        }
        let shape: Shape<'_> = serde_json::from_str(json).map_err(EventError::malformed("object event"))?;
        if let Some(records) = shape.records {
            for record in records {
                self.peel_record(record);
            }
            return Ok(());
        }
        if text(shape.event).as_deref() == Some("s3:TestEvent") {
            let bucket = text(shape.bucket).unwrap_or_default();
            self.found.test_events.push(TestEvent { bucket, route: self.route() });
            return Ok(());
        }
        if shape.detail_type.is_some() {
            return self.take_event_bridge(json);
        }
        if shape.topic_arn.is_some()
            && let Some(notification) = Notification::from_envelope(json)
        {
            return self.through(Hop::Sns, &notification.message);
        }
        Err(EventError::UnknownShape { expected: EXPECTED })
    }

    /// One element of `Records[]`; what is wrong with it stays with it.
    fn peel_record(&mut self, record: &RawValue) {
        let outcome = serde_json::from_str::<Source<'_>>(record.get())
            .map_err(EventError::malformed("record"))
            .and_then(|source| match source.name.as_deref() {
                Some("aws:s3") => self.take_notification(record),
                Some("aws:sns") => self.through(Hop::Sns, &Notification::from_record(record)?.message),
                Some("aws:sqs") => self.through_queue(record),
                _ => Err(EventError::UnknownShape { expected: "a record of aws:s3, aws:sns or aws:sqs" }),
            });
        if let Err(problem) = outcome {
            let message_id = self.message_id.clone().or_else(|| message_id(record));
            self.found.refused.push(Refusal { message_id, problem });
        }
    }

    fn through(&mut self, hop: Hop, inner: &str) -> Result<(), EventError> {
        self.peeled.push(hop);
        let outcome = self.peel(inner);
        self.peeled.pop();
        outcome
    }

    fn through_queue(&mut self, record: &RawValue) -> Result<(), EventError> {
        let record = Record::from_wire(record)?;
        let outer = self.message_id.clone();
        // Of a queue's message inside a queue's message only the outermost id is in the batch.
        self.message_id.get_or_insert(record.message_id);
        let outcome = self.through(Hop::Sqs, &record.body);
        self.message_id = outer;
        outcome
    }

    fn take_notification(&mut self, record: &RawValue) -> Result<(), EventError> {
        let wire: Notified = serde_json::from_str(record.get()).map_err(EventError::malformed("S3 record"))?;
        self.found.objects.push(ObjectEvent::from_notification(wire, self.route())?);
        Ok(())
    }

    fn take_event_bridge(&mut self, json: &str) -> Result<(), EventError> {
        let wire: EventBridgeEvent = serde_json::from_str(json).map_err(EventError::malformed("EventBridge event"))?;
        if wire.source != "aws.s3" {
            return Err(EventError::UnknownShape { expected: EXPECTED });
        }
        self.found.objects.push(ObjectEvent::from_event_bridge(wire, self.route())?);
        Ok(())
    }

    fn route(&self) -> Route {
        Route::from_outside_in(&self.peeled)
    }
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// The id of a queue's record that is too broken for [`Record`].
fn message_id(record: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Identity {
        #[serde(rename = "messageId")]
        message_id: Option<String>,
    }
    serde_json::from_str::<Identity>(record.get()).ok()?.message_id.filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn queue_record(message_id: &str, body: &Value) -> Value {
        json!({"messageId": message_id, "receiptHandle": "h", "body": body, "eventSource": "aws:sqs"})
    }

    fn refused_ids(records: &[Value]) -> Vec<Option<String>> {
        let event = json!({ "Records": records }).to_string();
        object_events(&event).unwrap().refused.into_iter().map(|refusal| refusal.message_id).collect()
    }

    #[test]
    fn a_refused_record_is_named_by_its_own_id_whatever_was_refused_before_it() {
        let broken = json!({"messageId": "m-2", "eventSource": "aws:sqs"});
        let ids = refused_ids(&[queue_record("m-1", &json!("no JSON")), broken, json!(3)]);
        assert_eq!(ids, [Some("m-1".to_owned()), Some("m-2".to_owned()), None]);
    }

    #[test]
    fn a_message_inside_a_message_is_named_by_the_outer_one() {
        let inner = json!({"Records": [queue_record("inner", &json!("no JSON"))]}).to_string();
        assert_eq!(refused_ids(&[queue_record("outer", &json!(inner))]), [Some("outer".to_owned())]);
    }
}
