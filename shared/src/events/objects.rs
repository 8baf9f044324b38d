//! One entry point for object events, however many envelopes are around them.

use super::{
    error::EventError,
    eventbridge::{CLOUD_TRAIL, read::around},
    foreign::Foreign,
    ignored::Ignored,
    json::{Field, Kind, elements, fields, without_mark},
    route::{Hop, Route},
    s3::{
        ObjectEvent,
        read::{Found, carried, notified},
    },
    sns::read::{is_envelope, whole},
};

/// S3 → EventBridge → SNS → SQS is the longest way AWS makes (three around the event); one more is let through.
const MAX_ENVELOPES: usize = 4;

const EVENT: &str = "object event";
const RECORD: &str = "record";
const EXPECTED: &str = "an S3 notification or an S3 event of EventBridge, perhaps inside SNS or SQS";

/// What an event says about objects, in the order of its records.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ObjectEvents {
    /// What happened to objects.
    pub objects: Vec<ObjectEvent>,
    /// The messages S3 sends when a notification is set up. They need no work and are no error.
    pub test_events: Vec<TestEvent>,
    /// Records that could not be read. The others are not touched by them.
    pub refused: Vec<Refusal>,
    /// Whether a queue's mapping, or a pipe on a queue, brought them: only then is there an answer that names records.
    pub is_from_queue: bool,
    /// What was there, could not be read, and is needed by nobody.
    pub ignored: Ignored,
}

/// `s3:TestEvent`: S3 tried whether it may send here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestEvent {
    /// The bucket whose notification was set up.
    pub bucket: String,
    /// The way it came.
    pub route: Route,
}

/// A record that says nothing of objects, or says it wrongly, with all by which it can be told from others.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The message it was in: of a queue (what a batch item failure names), else of a topic.
    pub message_id: Option<String>,
    /// The topic it was published to.
    pub topic_arn: Option<String>,
    /// The bucket it is of.
    pub bucket: Option<String>,
    /// The object's key, as it was sent.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: EventError,
}

impl ObjectEvents {
    /// Whether there was nothing in the event at all: no object, no test event, nothing refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.test_events.is_empty() && self.refused.is_empty()
    }
}

/// Peels every envelope off an event and reads the object events inside.
///
/// Takes S3 · S3 → SNS · S3 → SQS · S3 → SNS → SQS (wrapped or raw) · S3 → EventBridge, alone or through SNS and SQS, and
/// a pipe's bare list of queue records. Fails only when the event as a whole is none of these; a bad record beside good
/// ones is a [`Refusal`]. Records are told apart by their shape: nobody needs their `eventSource`.
///
/// ```
/// # use sluicegate::events::read_object_events;
/// let events = read_object_events(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"uploads"}"#)?;
/// assert_eq!(events.test_events[0].bucket, "uploads");
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn read_object_events(event: &str) -> Result<ObjectEvents, EventError> {
    let mut found = ObjectEvents::default();
    Peeler { found: &mut found, peeled: Vec::new(), message_id: None, topic_arn: None }.peel(event)?;
    Ok(found)
}

struct Peeler<'f> {
    found: &'f mut ObjectEvents,
    /// The envelopes taken off so far, the outermost first.
    peeled: Vec<Hop>,
    message_id: Option<String>,
    topic_arn: Option<String>,
}

impl Peeler<'_> {
    fn peel(&mut self, json: &str) -> Result<(), EventError> {
        /// The keys by which the shapes differ. A user's own event may use the same names for other things.
        const NAMES: [&str; 14] = [
            "Records[]",
            "Event",
            "Bucket",
            "Type",
            "TopicArn",
            "Message",
            "MessageId",
            "id",
            "source",
            "detail-type",
            "account",
            "region",
            "time",
            "detail",
        ];
        if self.peeled.len() > MAX_ENVELOPES {
            return Err(EventError::TooDeep { limit: MAX_ENVELOPES });
        }
        let json = without_mark(json);
        if self.peeled.is_empty() && Kind::of(json) == Some(Kind::List) {
            self.records(elements(json, EVENT)?);
            return Ok(());
        }
        let found = fields(json, EVENT, NAMES).map_err(|problem| named(json, problem))?;
        let [records, event, bucket, kind, topic_arn, message, message_id, bridge @ ..] = found;
        if let Some(records) = records.list(EVENT)? {
            self.records(records);
            return Ok(());
        }
        if event.quiet_text().as_deref() == Some("s3:TestEvent") {
            let bucket = bucket.text(&mut self.found.ignored).unwrap_or_default().into_owned();
            self.found.test_events.push(TestEvent { bucket, route: self.route() });
            return Ok(());
        }
        if is_envelope([&kind, &topic_arn, &message]) {
            return self.through_topic(&message_id, &topic_arn, &message);
        }
        self.read_event_bridge(bridge)
            .unwrap_or_else(|| Err(named(json, EventError::UnknownShape { expected: EXPECTED })))
    }

    fn records(&mut self, records: Vec<&str>) {
        for record in records {
            let (message_id, topic_arn) = (self.message_id.clone(), self.topic_arn.clone());
            if let Err((problem, [bucket, key])) = self.record(record) {
                let (message_id, topic_arn) = (self.message_id.take(), self.topic_arn.take());
                self.found.refused.push(Refusal { message_id, topic_arn, bucket, key, problem });
            }
            // Of a message inside a message only the outermost is in the batch.
            (self.message_id, self.topic_arn) = (message_id, topic_arn);
        }
    }

    /// One element of `Records[]`; what is wrong with it stays with it, with bucket and key where they can be told.
    fn record(&mut self, record: &str) -> Result<(), (EventError, [Option<String>; 2])> {
        const NAMES: [&str; 15] = [
            "eventSource",
            "EventSource",
            "eventName",
            "eventTime",
            "s3.bucket.name",
            "s3.object.key",
            "s3.object.size",
            "s3.object.eTag",
            "s3.object.versionId",
            "s3.object.sequencer",
            "Sns.Message",
            "Sns.MessageId",
            "Sns.TopicArn",
            "messageId",
            "body",
        ];
        let unnamed = |problem| (problem, [None, None]);
        let found = fields(record, RECORD, NAMES).map_err(unnamed)?;
        let [source, pascal_source, name, time, bucket, key, size, e_tag, version_id, sequencer, rest @ ..] = found;
        let [message, sns_id, topic_arn, message_id, body] = rest;
        let source = source.quiet_text().or_else(|| pascal_source.quiet_text());
        if bucket.is_there() || key.is_there() || source.as_deref() == Some("aws:s3") {
            let found = Found { bucket, key, size, e_tag, version_id, sequencer };
            let route = self.route();
            let object = notified(&found, (&name, &time), route, &mut self.found.ignored);
            let object = object.map_err(|problem| (problem, [&found.bucket, &found.key].map(Field::identity)))?;
            self.found.objects.push(object);
            Ok(())
        } else if message.is_there() || source.as_deref() == Some("aws:sns") {
            self.through_topic(&sns_id, &topic_arn, &message).map_err(unnamed)
        } else if body.is_there() || message_id.is_there() || source.as_deref() == Some("aws:sqs") {
            self.through_queue(&message_id, &body).map_err(unnamed)
        } else {
            Err(unnamed(EventError::UnknownShape { expected: "a record of S3, SNS or SQS" }))
        }
    }

    fn through_topic(
        &mut self,
        message_id: &Field<'_>,
        topic_arn: &Field<'_>,
        message: &Field<'_>,
    ) -> Result<(), EventError> {
        if self.message_id.is_none() {
            self.message_id = message_id.identity();
        }
        self.topic_arn = topic_arn.identity();
        let message = whole(message).ok_or(EventError::MissingField { of: "SNS notification", field: "Message" })?;
        self.through(Hop::Sns, &message)
    }

    fn through_queue(&mut self, message_id: &Field<'_>, body: &Field<'_>) -> Result<(), EventError> {
        const QUEUES: &str = "SQS record";
        self.found.is_from_queue |= self.peeled.is_empty();
        let message_id = message_id.needed(QUEUES)?;
        self.message_id.get_or_insert_with(|| message_id.into_owned());
        let body = body.needed_or_empty(QUEUES)?;
        self.through(Hop::Sqs, &body)
    }

    fn through(&mut self, hop: Hop, inner: &str) -> Result<(), EventError> {
        self.peeled.push(hop);
        let outcome = self.peel(inner);
        self.peeled.pop();
        outcome
    }

    /// `None` where it is no event of S3's.
    fn read_event_bridge(&mut self, found: [Field<'_>; 7]) -> Option<Result<(), EventError>> {
        let (event, detail) = around(found);
        match (event.source.as_deref(), event.detail_type.as_deref()) {
            (_, Some(CLOUD_TRAIL)) => return Some(Err(Foreign::CloudTrail.into())),
            (Some("aws.s3"), _) | (None, Some(_)) => {}
            (Some(_) | None, _) => return None,
        }
        self.found.ignored.take(&event.ignored);
        let route = self.route();
        match carried(event, &detail, route, &mut self.found.ignored) {
            Ok(object) => self.found.objects.push(object),
            Err((problem, [bucket, key])) => {
                let (message_id, topic_arn) = (self.message_id.clone(), self.topic_arn.clone());
                self.found.refused.push(Refusal { message_id, topic_arn, bucket, key, problem });
            }
        }
        Some(Ok(()))
    }

    fn route(&self) -> Route {
        Route::from_outside_in(&self.peeled)
    }
}

/// The same problem, or what the text is known to be instead.
fn named(json: &str, problem: EventError) -> EventError {
    Foreign::known(json).map_or(problem, EventError::from)
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
        read_object_events(&event).unwrap().refused.into_iter().map(|refusal| refusal.message_id).collect()
    }

    #[test]
    fn a_refused_record_is_named_by_its_own_id_whatever_was_refused_before_it() {
        let broken = json!({"messageId": "m-2", "eventSource": "aws:sqs"});
        let ids = refused_ids(&[queue_record("m-1", &json!("no JSON")), broken, json!(3)]);
        assert_eq!(ids, [Some("m-1".to_owned()), Some("m-2".to_owned()), None]);
    }

    #[test]
    fn records_are_known_by_their_shape() {
        let s3 = json!({"s3": {"bucket": {"name": "b"}, "object": {"key": "k+1", "size": "large"}}, "eventTime": 7});
        let inner = json!({ "Records": [s3] }).to_string();
        let sns = json!({"EventSource": "localstack:sns", "Sns": {"Message": inner}});
        let sqs = json!({"messageId": "m", "body": inner});
        let event = json!({"Records": [s3, sns, sqs]}).to_string();
        let found = read_object_events(&event).unwrap();
        let found_objects: Vec<String> =
            found.objects.iter().map(|object| format!("{} {}/{}", object.route, object.bucket, object.key)).collect();
        assert_eq!(found_objects, ["s3 b/k 1", "s3-sns b/k 1", "s3-sqs b/k 1"]);
        assert!(found.is_from_queue && found.refused.is_empty());
        assert_eq!(found.ignored.names(), ["s3.object.size", "eventTime"]);
        assert!(found.objects.iter().all(|object| object.name.as_str() == "object event" && object.may_be_new()));
    }

    #[test]
    fn a_pipes_bare_list_is_a_batch_and_a_list_in_a_body_is_not() {
        let inner = json!({"Records": []}).to_string();
        let found = read_object_events(&json!([queue_record("m", &json!(inner))]).to_string()).unwrap();
        assert!(found.is_from_queue && found.is_empty());
        let found = read_object_events(&json!([queue_record("m", &json!("[[], 1, 2, 3, 4]"))]).to_string()).unwrap();
        assert_eq!(found.refused[0].problem.to_string(), "not a valid object event: a list, not an object");
    }

    #[test]
    fn a_refusal_carries_what_names_there_are() {
        let s3 =
            |key: Value| json!({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}).to_string();
        let envelope = |message: String| {
            json!({"Type": "Notification", "TopicArn": "t", "MessageId": "n", "Message": message}).to_string()
        };
        let event = json!({"Records": [queue_record("m", &json!(envelope(s3(json!("%FF"))))),
            {"Sns": {"MessageId": "n", "TopicArn": "t", "Message": s3(json!(7))}}]});
        let refused = read_object_events(&event.to_string()).unwrap().refused;
        let names = |refusal: &Refusal| {
            [&refusal.message_id, &refusal.topic_arn, &refusal.bucket, &refusal.key]
                .map(|name| name.clone().unwrap_or_default())
        };
        assert_eq!(names(&refused[0]), ["m", "t", "b", "%FF"]);
        assert_eq!(names(&refused[1]), ["n", "t", "b", ""]);
        assert_eq!(refused[1].problem.to_string(), "s3.object.key of the S3 record is a number, not a text");
    }

    #[test]
    fn the_inside_of_an_envelope_says_what_is_wrong_with_it() {
        let envelope = json!({"Type": "Notification", "TopicArn": "t", "Message": "secret text"}).to_string();
        let problem = read_object_events(&envelope).unwrap_err().to_string();
        assert_eq!(problem, "not a valid object event: expected value at line 1 column 1");
    }

    #[test]
    fn a_message_inside_a_message_is_named_by_the_outer_one() {
        let inner = json!({"Records": [queue_record("inner", &json!("no JSON"))]}).to_string();
        assert_eq!(refused_ids(&[queue_record("outer", &json!(inner))]), [Some("outer".to_owned())]);
    }
}
