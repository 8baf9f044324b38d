use std::{
    cell::RefCell,
    future::pending,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use sluicegate::{
    idempotency::{Attempt, Claim, ClaimAnswer, MemoryStore, Ownership, StoreError, Tries},
    telemetry::{self, LogConfig},
};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::*;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";
const PHONE: &str = "+14155550123";

/// What SNS does in a test.
#[derive(Clone, Copy, PartialEq)]
enum Sns {
    Takes,
    RefusesSms,
    RefusesAll,
    NeverAnswersSms,
}

struct FakeSns {
    behaviour: Sns,
    sent: RefCell<Vec<(String, String)>>,
}

fn refused() -> Result<(), CallError> {
    Err(CallError { message: "SNS said no: AuthorizationError: not allowed".to_owned(), is_transient: false })
}

impl Publisher for FakeSns {
    async fn send_sms(&self, phone_number: &str, text: &str) -> Result<(), CallError> {
        match self.behaviour {
            Sns::RefusesSms | Sns::RefusesAll => return refused(),
            Sns::NeverAnswersSms => pending().await,
            Sns::Takes => {}
        }
        self.sent.borrow_mut().push((phone_number.to_owned(), text.to_owned()));
        Ok(())
    }

    async fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> Result<(), CallError> {
        if self.behaviour == Sns::RefusesAll {
            return refused();
        }
        self.sent.borrow_mut().push((topic_arn.to_owned(), format!("{subject}\n{message}")));
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What one invocation did.
struct Outcome {
    answer: Result<Summary, InvocationError>,
    lines: Vec<Value>,
    took: Duration,
    sent: Vec<(String, String)>,
}

impl Outcome {
    /// The lines with this sentence.
    fn said(&self, sentence: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["message"] == sentence).collect()
    }

    fn json(&self) -> Value {
        serde_json::to_value(self.answer.as_ref().unwrap()).unwrap()
    }

    fn error(&self) -> String {
        self.answer.as_ref().unwrap_err().to_string()
    }
}

fn invoke_with(settings: &[(&str, &str)], behaviour: Sns, event: &str) -> Outcome {
    invoke_on(&MemoryStore::default(), settings, behaviour, event)
}

fn invoke_on<S: IdempotencyStore>(store: &S, settings: &[(&str, &str)], behaviour: Sns, event: &str) -> Outcome {
    let lookup = |name: &str| {
        let (_, value) = settings.iter().find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    };
    let port = FakeSns { behaviour, sent: RefCell::default() };
    let logger = ObjectLogger::new(Config::from_lookup(&lookup).unwrap(), port, |_| store);
    let invocation = Invocation { request_id: "r-1".to_owned(), remaining: Some(Duration::from_secs(10)) };
    let captured = Captured::default();
    let config = LogConfig::from_lookup(|_| None).unwrap();
    let subscriber = Registry::default().with(telemetry::layer(config, || UNIX_EPOCH, captured.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let handle = async {
        let began = tokio::time::Instant::now();
        (logger.handle(event, &invocation).await, began.elapsed())
    };
    let (answer, took) = tracing::subscriber::with_default(subscriber, || runtime.block_on(handle));
    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Outcome { answer, lines, took, sent: logger.port.sent.into_inner() }
}

fn invoke(event: &str) -> Outcome {
    invoke_with(&[], Sns::Takes, event)
}

const BOTH: [(&str, &str); 2] = [("ALERT_PHONE_NUMBER", PHONE), ("ALERT_TOPIC_ARN", TOPIC)];

macro_rules! sample {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/", $path))
    };
}

fn queue_record(message_id: &str, body: &str) -> Value {
    json!({"messageId": message_id, "receiptHandle": "h", "body": body, "attributes": {}, "messageAttributes": {},
           "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads"})
}

fn queue_event(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

#[test]
fn an_object_is_logged_with_every_field_of_the_contract() {
    let outcome = invoke(sample!("s3/object-created.json"));
    assert_eq!(
        outcome.lines,
        [json!({
            "timestamp": "1970-01-01T00:00:00.000Z", "level": "INFO", "message": "object created",
            "bucket.name": "amzn-s3-demo-bucket", "object.key": "reports/2025/march.csv", "object.size_bytes": 48_213,
            "event.name": "ObjectCreated:Put", "route": "s3",
        })]
    );
    assert_eq!(
        outcome.json(),
        json!({"logged": 1, "refused": 0, "test_events": 0, "alerts": 0, "batchItemFailures": []})
    );
}

#[test]
fn the_route_is_logged_whichever_it_was() {
    for (event, route) in [
        (sample!("s3/object-created.json"), "s3"),
        (sample!("sns/s3-object-created.json"), "s3-sns"),
        (sample!("sqs/s3-object-created.json"), "s3-sqs"),
        (sample!("sqs/s3-sns-raw.json"), "s3-sqs"),
        (sample!("sqs/s3-sns-wrapped.json"), "s3-sns-sqs"),
        (sample!("eventbridge/object-created-large.json"), "s3-eventbridge"),
        (sample!("sqs/s3-eventbridge.json"), "s3-eventbridge-sqs"),
    ] {
        let outcome = invoke(event);
        let [line] = outcome.said("object created")[..] else { panic!("{route}: {:?}", outcome.lines) };
        assert_eq!(line["route"], route);
    }
}

#[test]
fn names_are_logged_decoded() {
    let outcome = invoke(sample!("s3/object-created-encoded-key.json"));
    let key = outcome.said("object created")[0]["object.key"].as_str().unwrap();
    assert!(key.contains(' ') && key.contains('+') && !key.contains('%'), "{key}");
}

#[test]
fn each_kind_of_event_has_its_sentence() {
    for (event, sentence) in [
        (sample!("s3/object-removed.json"), "object removed"),
        (sample!("s3/object-removed-delete-marker.json"), "object removed"),
        (sample!("s3/lifecycle-expiration.json"), "object removed"),
        (sample!("eventbridge/object-deleted.json"), "object removed"),
        (sample!("s3/object-restored.json"), "object event"),
        (sample!("s3/unknown-event-name.json"), "object event"),
    ] {
        let outcome = invoke(event);
        assert_eq!(outcome.said(sentence).len(), 1, "{sentence}: {:?}", outcome.lines);
    }
}

#[test]
fn a_version_is_logged_where_there_is_one() {
    let outcome = invoke(sample!("s3/object-removed-delete-marker.json"));
    let line = outcome.said("object removed")[0];
    assert!(line["object.version_id"].is_string(), "{line}");
    assert_eq!(line.get("object.size_bytes"), None);
}

#[test]
fn every_object_of_a_folder_upload_is_logged_and_markers_are_marked() {
    let outcome = invoke(sample!("s3/folder-upload.json"));
    assert_eq!(outcome.lines.len(), outcome.json()["logged"]);
    assert!(outcome.lines.len() > 1);
    let outcome = invoke(sample!("s3/folder-marker.json"));
    assert_eq!(outcome.lines[0]["object.folder_marker"], true);
    assert_eq!(outcome.lines[0]["object.key"], "new folder/");
}

#[test]
fn test_events_are_acknowledged_whatever_the_route() {
    for (event, route) in [
        (sample!("s3/test-event.json"), "s3"),
        (sample!("sns/s3-test-event.json"), "s3-sns"),
        (sample!("sqs/s3-test-event.json"), "s3-sqs"),
    ] {
        let outcome = invoke_with(&BOTH, Sns::Takes, event);
        let line = &outcome.lines[0];
        assert_eq!((&line["message"], &line["level"]), (&json!("test event acknowledged"), &json!("INFO")));
        assert_eq!((&line["bucket.name"], &line["route"]), (&json!("amzn-s3-demo-bucket"), &json!(route)));
        assert_eq!(outcome.json()["test_events"], 1);
        assert!(outcome.sent.is_empty(), "{:?}", outcome.sent);
    }
}

#[test]
fn a_record_that_cannot_be_read_is_refused_and_its_neighbour_logged() {
    for event in [sample!("s3/invalid-utf8-key.json"), sample!("s3/missing-bucket.json")] {
        let outcome = invoke(event);
        let refused = outcome.said("record refused");
        assert_eq!(refused.len(), 1, "{:?}", outcome.lines);
        assert_eq!(refused[0]["level"], "ERROR");
        assert!(refused[0]["problem"].is_string());
        assert_eq!(refused[0]["bucket.name"].is_string(), event.contains("%FF"));
        assert!(refused[0]["object.key"].is_string());
        assert_eq!(outcome.said("object created")[0]["object.key"], "reports/2025/good neighbour.csv");
        assert!(outcome.error().starts_with("RecordsRefused: 1 refused, the first "), "{}", outcome.error());
    }
}

#[test]
fn what_comes_alone_and_cannot_be_read_fails_the_invocation_with_its_names() {
    let s3 = r#"{"Records":[{"s3":{"bucket":{"name":"uploads"},"object":{"key":7}}}]}"#;
    let sns = json!({"Records": [{"Sns": {"MessageId": "m-1", "TopicArn": "arn:t", "Message": s3}}]}).to_string();
    let problem = "s3.object.key of the S3 record is a number, not a text";
    assert_eq!(invoke(s3).error(), format!("RecordsRefused: 1 refused, the first bucket uploads: {problem}"));
    let names = "message m-1, topic arn:t, bucket uploads";
    assert_eq!(invoke(&sns).error(), format!("RecordsRefused: 1 refused, the first {names}: {problem}"));
    let line = &invoke(&sns).lines[0];
    assert_eq!((&line["record.message_id"], &line["topic.arn"]), (&json!("m-1"), &json!("arn:t")));
    let bus = r#"{"source":"aws.s3","detail":{"bucket":{"name":"uploads"},"object":{}}}"#;
    assert!(
        invoke(bus).error().starts_with("RecordsRefused: 1 refused, the first bucket uploads: "),
        "{}",
        invoke(bus).error()
    );
}

#[test]
fn an_event_that_says_nothing_of_objects_fails_with_the_reason() {
    for event in ["", "no JSON", "null", "{}", "3", r#"{"Records":3}"#, sample!("eventbridge/custom-event.json")] {
        let error = invoke(event).error();
        assert!(error.starts_with("UnreadableEvent: ") && error.contains("not "), "{event}: {error}");
    }
}

#[test]
fn zero_records_are_no_work() {
    let outcome = invoke_with(&BOTH, Sns::RefusesAll, sample!("s3/zero-records.json"));
    assert_eq!(outcome.answer.unwrap(), Summary::default());
    assert!(outcome.lines.is_empty() && outcome.sent.is_empty());
}

#[test]
fn refused_records_of_a_queue_are_batch_item_failures_by_their_own_ids() {
    let two_bad = json!({"Records": [{"eventSource": "aws:s3"}, {"eventSource": "aws:s3"}]}).to_string();
    let mut without_body = queue_record("m-3", "");
    without_body.as_object_mut().unwrap().remove("body");
    let event = queue_event(&[
        queue_record("m-1", "not JSON"),
        queue_record("m-2", &two_bad),
        without_body,
        queue_record("m-4", sample!("s3/object-created.json")),
        queue_record("m-5", &queue_event(&[queue_record("inner", "not JSON")])),
    ]);
    let outcome = invoke(&event);
    let failures: Vec<Value> = ["m-1", "m-2", "m-3", "m-5"].map(|id| json!({"itemIdentifier": id})).into();
    assert_eq!(
        outcome.json(),
        json!({"logged": 1, "refused": 5, "test_events": 0, "alerts": 0, "batchItemFailures": failures})
    );
    let ids: Vec<&Value> = outcome.said("record refused").iter().map(|line| &line["record.message_id"]).collect();
    assert_eq!(ids, ["m-1", "m-2", "m-2", "m-3", "m-5"]);
    assert_eq!(outcome.said("object created").len(), 1);
}

#[test]
fn a_queue_record_that_cannot_be_named_fails_the_invocation_after_the_others_are_logged() {
    for bad in [json!({"eventSource": "aws:sqs", "body": "x"}), queue_record("", "x"), json!(7)] {
        let event = queue_event(&[bad, queue_record("m-2", sample!("s3/object-created.json"))]);
        let outcome = invoke(&event);
        assert!(outcome.error().starts_with("RecordWithoutMessageId: "), "{}", outcome.error());
        assert_eq!(outcome.said("object created").len(), 1);
        assert_eq!(outcome.said("record refused").len(), 1);
    }
}

#[test]
fn a_pipes_bare_list_is_answered_as_a_mapping_is() {
    let event = json!([queue_record("m-1", "not JSON"), queue_record("m-2", sample!("s3/object-created.json"))]);
    let outcome = invoke(&event.to_string());
    assert_eq!(outcome.json()["batchItemFailures"], json!([{"itemIdentifier": "m-1"}]));
    assert_eq!(outcome.said("object created").len(), 1);
}

mod alerts;
