//! Nothing that can be sent to a function ends it, hangs it, or passes without a line that names the cause.

mod streams;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::{
    aws::Aws,
    lambda::{Answer, Invoked, Lambda, Line, event},
    sample_events::sample,
};

const MIB: usize = 1_048_576;

/// What a function is to do with an event.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// The invocation fails, and a line says why.
    Fails(&'static str),
    /// The invocation answers, and a line says what was refused.
    Refuses(&'static str),
    /// There is nothing to object to.
    Takes,
}

use Expected::{Fails, Refuses, Takes};

/// An event that no service sends, with a name for the failing test to say.
struct Garbage {
    name: &'static str,
    event: Bytes,
    expected: Expected,
}

fn garbage(name: &'static str, event: impl Into<Bytes>, expected: Expected) -> Garbage {
    Garbage { name, event: event.into(), expected }
}

/// What is garbage to every function: none of it is JSON.
fn not_json() -> Vec<Garbage> {
    vec![
        garbage("not JSON", "not json", Fails("expected ident")),
        garbage("nothing", "", Fails("EOF while parsing a value")),
        garbage("cut off", r#"{"Records": [{"#, Fails("EOF while parsing")),
        garbage("bytes that are no text", &b"{\"Records\": [{\"s3\": \"\xFF\xFE\"}]}"[..], Fails("not UTF-8")),
    ]
}

/// Sends garbage, then the good event, to one process; every answer and the log are as expected.
async fn survives(function: &'static str, settings: &[(&str, &str)], garbage: Vec<Garbage>, good: &str) {
    let aws = Aws::start([]).await;
    let url = aws.url();
    let lambda = Lambda::start(function, &[settings, &[("AWS_ENDPOINT_URL", url.as_str())]].concat()).await;
    let mut invocations = Vec::new();
    for garbage in not_json().into_iter().chain(garbage) {
        invocations.push((lambda.invoke(garbage.event).await, garbage.name, garbage.expected));
    }
    lambda.invoke(sample::read(good)).await.response();
    let log = lambda.log().await;
    for (invoked, name, expected) in invocations {
        let lines: Vec<&Line> = log.iter().filter(|line| line.text("requestId") == invoked.request_id).collect();
        check(&invoked, expected, &lines, &format!("{function}, {name}"));
    }
}

fn check(invoked: &Invoked, expected: Expected, lines: &[&Line], what: &str) {
    let loud = |line: &&&Line| ["WARN", "ERROR"].contains(&line.text("level"));
    let cause = match (expected, &invoked.answer) {
        (Fails(cause), Answer::Error { message, .. }) => {
            assert!(message.contains(cause), "{what}: the error does not say {cause:?} but {message:?}");
            cause
        }
        (Refuses(cause), Answer::Response(_)) => cause,
        (Takes, Answer::Response(_)) => {
            assert!(lines.iter().find(loud).is_none(), "{what}: {lines:?}");
            return;
        }
        (expected, answer) => panic!("{what}: {expected:?} was expected and {answer:?} came"),
    };
    assert!(lines.iter().filter(loud).any(|line| line.says(cause)), "{what}: no line says {cause:?}: {lines:?}");
    let longest = lines.iter().flat_map(|line| line.names().into_iter().map(|name| line.text(name).len())).max();
    assert!(longest < Some(10_000), "{what}: the log does not repeat the event ({longest:?} bytes)");
}

/// The sample with its first record's text at `field` (a JSON pointer) replaced.
fn changed(sample: &str, field: &str, text: &str) -> String {
    let mut event: Value = serde_json::from_str(&sample::read(sample)).unwrap();
    *event.pointer_mut(field).unwrap() = Value::from(text);
    event.to_string()
}

#[tokio::test]
async fn the_sns_logger_survives_garbage() {
    let key_that_is_no_text = sample::read("s3/invalid-utf8-key");
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Fails("a list, not an object")),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("no Records")),
        garbage("no list", sample::read("garbage/records-not-a-list"), Fails("is a number, not a list")),
        garbage("no objects", sample::read("garbage/record-not-an-object"), Fails("a number, not an object")),
        garbage("no message", sample::read("sns/missing-message"), Fails("no Message")),
        garbage("1 MiB", changed("sns/notification", "/Records/0/Sns/Message", &"x".repeat(MIB)), Takes),
        garbage("a key", changed("sns/notification", "/Records/0/Sns/Message", &key_that_is_no_text), Takes),
        garbage("no records", sample::read("sns/zero-records"), Takes),
        garbage("deep", "[".repeat(MIB), Fails("EOF")),
    ];
    survives("sns-logger", &[], events, "sns/notification").await;
}

#[tokio::test]
async fn the_object_logger_survives_garbage() {
    let large = changed("sqs/s3-object-created", "/Records/0/body", &"x".repeat(MIB));
    let deep = changed("sqs/s3-object-created", "/Records/0/body", &deep());
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Takes),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("not a shape")),
        garbage("no list", sample::read("garbage/records-not-a-list"), Fails("is a number, not a list")),
        garbage("no objects", sample::read("garbage/record-not-an-object"), Fails("a number, not an object")),
        garbage("1 MiB", large, Refuses("expected value at line 1 column 1")),
        garbage("a key", sample::read("s3/invalid-utf8-key"), Fails("not UTF-8 once decoded")),
        garbage("no bucket", sample::read("s3/missing-bucket"), Fails("no s3.bucket.name")),
        garbage("somebody else's", sample::read("eventbridge/custom-event"), Fails("not a shape")),
        garbage("no records", sample::read("s3/zero-records"), Takes),
        garbage("deep", deep, Refuses("not")),
    ];
    survives("s3-object-logger", &[], events, "s3/object-created").await;
}

#[tokio::test]
async fn the_worker_survives_garbage() {
    let key_that_is_no_text = sample::read("s3/invalid-utf8-key");
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Takes),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("no Records")),
        garbage("no list", sample::read("garbage/records-not-a-list"), Fails("is a number, not a list")),
        garbage("no objects", sample::read("garbage/record-not-an-object"), Fails("cannot be named")),
        garbage("no message id", sample::read("sqs/missing-message-id"), Fails("cannot be named")),
        garbage("no body", sample::read("sqs/missing-body"), Refuses("no body")),
        garbage("1 MiB", event::batch("NewDonor", &["x".repeat(MIB).into()]), Refuses("not a valid job")),
        garbage("a key", event::batch("ObjectCreated", &[key_that_is_no_text.into()]), Refuses("not UTF-8")),
        garbage("deep", event::batch("NewDonor", &[deep().into()]), Refuses("a list, not an object")),
        garbage("no URL", json!({"queueUrl": "jobs", "messages": []}).to_string(), Fails("a queue URL")),
        garbage("no messages", json!({"queueUrl": "https://q/1/jobs"}).to_string(), Fails("messages")),
        garbage("no records", sample::read("sqs/zero-records"), Takes),
        garbage("an empty dispatch", sample::read("dispatch/zero-messages"), Takes),
    ];
    survives("sqs-worker", &[], events, "sqs/new-donor").await;
}

#[tokio::test]
async fn the_poller_survives_garbage_and_takes_any_json() {
    let settings =
        [("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/polled"), ("WORKER_FUNCTION", "sqs-worker")];
    let mut events: Vec<Garbage> =
        ["not-an-object", "null", "wrong-shape", "records-not-a-list", "record-not-an-object"]
            .into_iter()
            .map(|case| garbage(case, sample::read(&format!("garbage/{case}")), Takes))
            .collect();
    events.extend([
        garbage("1 MiB", json!({"text": "x".repeat(MIB)}).to_string(), Takes),
        garbage("a key", sample::read("s3/invalid-utf8-key"), Takes),
        garbage("no records", sample::read("s3/zero-records"), Takes),
        garbage("deep", deep(), Takes),
    ]);
    survives("scheduled-poller", &settings, events, "schedule/scheduler").await;
}

/// JSON that a parser without a limit would pay for with its stack.
fn deep() -> String {
    "[".repeat(100_000) + &"]".repeat(100_000)
}
