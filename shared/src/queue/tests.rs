use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use lambda_runtime::{Context, LambdaEvent, tower::Service as _};
use serde_json::{Value, json};

use super::*;
use crate::{
    delivery::{CallError, DeadLetter, DeadLetterQueue, FailedEntry, SourceQueue, VisibilityChange},
    events::Queue,
    idempotency::MemoryStore,
    runtime::Invocation,
};

/// A queue that does all it is asked.
#[derive(Clone, Copy)]
struct Obedient;

impl SourceQueue for Obedient {
    async fn delete(&self, _: &Queue, _: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new())
    }

    async fn change_visibility(&self, _: &Queue, _: &[VisibilityChange<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new())
    }
}

impl DeadLetterQueue for Obedient {
    async fn send(&self, _: &str, _: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new())
    }
}

#[derive(serde::Deserialize)]
struct Donor {
    id: Option<String>,
    name: String,
}

fn event(bodies: &[Value]) -> Value {
    let record = |(place, body): (usize, &Value)| {
        json!({"messageId": format!("m-{place}"), "receiptHandle": "h", "body": body.to_string(),
               "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs"})
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn settings() -> QueueSettings {
    let lookup = |name: &str| (name == "IDEMPOTENCY_TABLE").then(|| "table".to_owned());
    QueueSettings::with(&lookup, |_| Some(())).unwrap().0
}

/// What a worker on this work hands back of these bodies.
async fn handed_back<By>(handler: impl IntoWork<By>, store: &MemoryStore, bodies: &[Value]) -> Vec<String> {
    let worker = Worker::new(settings(), handler.into_work(), Obedient).with_store(|_table| store);
    let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(Duration::from_secs(30)) };
    match worker.handle(&event(bodies).to_string(), &invocation).await.unwrap() {
        Answer::Mapping(answer) => answer.batch_item_failures.into_iter().map(|item| item.item_identifier).collect(),
        Answer::Dispatch(summary) => panic!("a mapping was answered with {summary:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_the_record_or_what_is_made_of_it_or_both() {
    let (store, bodies) = (MemoryStore::default(), [json!({"name": "Ada"}), json!(7)]);
    let seen = RefCell::new(Vec::new());
    let of_record = async |record: &Record| {
        seen.borrow_mut().push(record.body.clone());
        Ok(())
    };
    assert_eq!(handed_back(of_record, &store, &bodies).await, [""; 0]);
    let of_payload = async |Json(donor): Json<Donor>| {
        seen.borrow_mut().push(donor.name);
        Ok(())
    };
    assert_eq!(handed_back(of_payload, &MemoryStore::default(), &bodies).await, ["m-1"]);
    let of_both = async |Json(donor): Json<Donor>, record: &Record| {
        seen.borrow_mut().push(format!("{} in {}", donor.name, record.message_id));
        Ok(())
    };
    assert_eq!(handed_back(of_both, &MemoryStore::default(), &bodies).await, ["m-1"]);
    assert_eq!(seen.into_inner(), [r#"{"name":"Ada"}"#, "7", "Ada", "Ada in m-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_payload_is_found_inside_the_envelopes_of_sns() {
    let envelope = |message: &Value| json!({"Type": "Notification", "TopicArn": "t", "Message": message.to_string()});
    let (once, names) = (envelope(&json!({"name": "Ada"})), RefCell::new(Vec::new()));
    let handler = async |Json(donor): Json<Donor>| {
        names.borrow_mut().push(donor.name);
        Ok(())
    };
    assert_eq!(handed_back(handler, &MemoryStore::default(), &[once.clone(), envelope(&once)]).await, [""; 0]);
    assert_eq!(names.into_inner(), ["Ada", "Ada"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_one_key_is_done_once_and_what_has_none_is_known_by_its_message() {
    let done = std::rc::Rc::new(Cell::new(0));
    let work = || {
        let done = done.clone();
        let handler = async move |_: Json<Donor>| {
            done.set(done.get() + 1);
            Ok(())
        };
        super::handler(handler).key(|Json(donor): &Json<Donor>| donor.id.clone())
    };
    let store = MemoryStore::default();
    let (named, blank, other) =
        (json!({"id": "d-1", "name": "Ada"}), json!({"id": " ", "name": "Ada"}), json!({"id": "d-1", "name": "Eve"}));
    assert_eq!(handed_back(work(), &store, std::slice::from_ref(&named)).await, [""; 0]);
    assert_eq!(handed_back(work(), &store, &[json!({"name": "x"}), named, blank.clone(), blank]).await, [""; 0]);
    assert_eq!(done.get(), 4, "the second with the name was not");
    assert_eq!(handed_back(work(), &store, &[json!({"name": "x"}), other]).await, ["m-1"], "another payload");
    assert_eq!(done.get(), 4, "message m-0 is known by now");
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_sns_sends_twice_is_one_payload_and_its_key_is_stored_as_a_hash() {
    let envelope = |id: &str| {
        let message = json!({"id": "ada@example.com", "name": "Ada"}).to_string();
        json!({"Type": "Notification", "MessageId": id, "TopicArn": "t", "Message": message})
    };
    let work = || {
        let handler = async |_: Json<Donor>| Ok(());
        super::handler(handler).key(|Json(donor): &Json<Donor>| donor.id.clone())
    };
    let store = MemoryStore::default();
    assert_eq!(handed_back(work(), &store, &[envelope("n-1")]).await, [""; 0]);
    // As the second of its batch it is another message of the queue.
    assert_eq!(handed_back(work(), &store, &[json!({"name": "x"}), envelope("n-2")]).await, [""; 0]);
    let record = crate::events::read_batch(&event(&[envelope("n-1")]).to_string()).unwrap().unwrap().records.remove(0);
    let (record, work) = (record.unwrap(), work());
    let effect = work.effect(&record, &work.read(&record).unwrap()).unwrap();
    assert!(!effect.key("f").contains("ada"), "{}", effect.key("f"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_a_service_over_any_event_that_is_json() {
    let handler = async |record: &Record| if record.body == "7" { Err(RecordError::retry("busy")) } else { Ok(()) };
    let worker = Worker::new(settings(), super::handler(handler), Obedient).with_store(|_| MemoryStore::default());
    let mut service = worker.service();
    let answer = service.call(LambdaEvent::new(event(&[json!(7), json!(8)]), Context::default())).await.unwrap();
    assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "m-0"}]}));
    let error = service.call(LambdaEvent::new(json!({"Records": 7}), Context::default())).await.unwrap_err();
    assert!(error.to_string().starts_with("UnreadableEvent: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn work_that_says_how_much_it_takes_is_never_given_more() {
    struct OneAtATime(Cell<usize>);
    impl Work for OneAtATime {
        type Job<'r> = ();

        fn read(&self, _: &Record) -> Result<(), RecordError> {
            Ok(())
        }

        fn max_concurrency(&self) -> usize {
            1
        }

        async fn run(&self, _: &Record, (): ()) -> Result<(), RecordError> {
            self.0.set(self.0.get() + 1);
            assert_eq!(self.0.get(), 1, "at work at the same time");
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.0.set(self.0.get() - 1);
            Ok(())
        }
    }
    let bodies: Vec<Value> = (0..10).map(Value::from).collect();
    assert_eq!(handed_back(OneAtATime(Cell::new(0)), &MemoryStore::default(), &bodies).await, [""; 0]);
}

#[cfg(feature = "aws_lambda_events")]
#[test]
fn the_types_of_aws_lambda_events_convert() {
    use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

    let event: SqsEvent = serde_json::from_value(event(&[json!({"name": "Ada"})])).unwrap();
    let record = Record::try_from(&event.records[0]).unwrap();
    assert_eq!((record.message_id.as_str(), record.body.as_str()), ("m-0", r#"{"name":"Ada"}"#));
    let mut nameless = event.records[0].clone();
    nameless.message_id = None;
    assert!(Record::try_from(&nameless).is_err());
    let failure = crate::delivery::BatchItemFailure { item_identifier: "m-0".to_owned() };
    let response = crate::delivery::BatchResponse { batch_item_failures: vec![failure] };
    assert_eq!(SqsBatchResponse::from(response).batch_item_failures[0].item_identifier, "m-0");
}
