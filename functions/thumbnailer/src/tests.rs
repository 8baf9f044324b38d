use std::{
    collections::HashMap,
    io::Cursor,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};
use sluicegate::{
    aws::s3::{ObjectAnswer, ObjectRequest, ObjectStore},
    delivery::{CallError, DeadLetter, DeadLetterQueue, FailedEntry, REASON, SourceQueue, VisibilityChange},
    events::Queue,
    idempotency::{IdempotencyStore, MemoryStore},
    queue::{Answer, QueueSettings, Worker},
    runtime::Invocation,
};
use tokio::time::Instant;

use super::*;

/// A bucket and a queue. Objects by key; keys that are not there are gone.
#[derive(Default)]
struct Aws {
    objects: Mutex<HashMap<String, ObjectAnswer>>,
    denies: AtomicBool,
    hangs: AtomicBool,
    reads: AtomicU32,
    /// Bucket, key and content type.
    written: Mutex<Vec<[String; 3]>>,
    /// The reasons.
    dead_letters: Mutex<Vec<String>>,
    hidden: AtomicUsize,
}

impl ObjectStore for &Aws {
    async fn read(&self, wanted: &ObjectRequest<'_>) -> Result<ObjectAnswer, CallError> {
        self.reads.fetch_add(1, Relaxed);
        assert_eq!((wanted.bucket, wanted.e_tag), ("uploads", Some("d41d8cd9")));
        if self.hangs.load(Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.denies.load(Relaxed) {
            return Err(CallError { message: "AccessDenied: no".to_owned(), is_transient: false });
        }
        Ok(self.objects.lock().unwrap().get(wanted.key).cloned().unwrap_or(ObjectAnswer::Gone))
    }

    async fn write(&self, bucket: &str, key: &str, content_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        assert!(!content.is_empty(), "{key}");
        self.written.lock().unwrap().push([bucket, key, content_type].map(ToOwned::to_owned));
        Ok(())
    }
}

impl SourceQueue for &Aws {
    async fn delete(&self, _: &Queue, _: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new()) // What has a dead letter is deleted by the function.
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        self.hidden.fetch_add(changes.len(), Relaxed);
        Ok(Vec::new())
    }
}

impl DeadLetterQueue for &Aws {
    async fn send(&self, _: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let reason = |dead_letter: &DeadLetter<'_>| dead_letter.attributes[REASON].as_text().unwrap().to_owned();
        self.dead_letters.lock().unwrap().extend(dead_letters.iter().map(reason));
        Ok(Vec::new())
    }
}

impl Aws {
    fn holding(objects: &[(&str, &[u8])]) -> Self {
        let aws = Self::default();
        for (key, content) in objects {
            aws.objects.lock().unwrap().insert((*key).to_owned(), ObjectAnswer::Found(content.to_vec()));
        }
        aws
    }

    /// Sends the event through the handler; gives the ids of the messages that are handed back.
    async fn invoke(&self, store: &MemoryStore, event: &Value) -> Vec<String> {
        let lookup = |name: &str| match name {
            "THUMBNAIL_BUCKET" => Some("thumbnails".to_owned()),
            "IDEMPOTENCY_TABLE" => Some("table".to_owned()),
            "DEAD_LETTER_QUEUES" => {
                Some("images=https://sqs.us-east-1.amazonaws.com/123456789012/images-dead".to_owned())
            }
            _ => None,
        };
        let (settings, config) = QueueSettings::with(&lookup, Config::read).unwrap();
        let worker = Worker::new(settings, Thumbnails::new(config, self), self).with_store(|_table| store);
        handed_back(&worker, event).await
    }

    fn written_keys(&self) -> Vec<String> {
        self.written.lock().unwrap().iter().map(|[_, key, _]| key.clone()).collect()
    }
}

async fn handed_back<S: IdempotencyStore>(worker: &Worker<Thumbnails<&Aws>, &Aws, S>, event: &Value) -> Vec<String> {
    let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(Duration::from_mins(1)) };
    match worker.handle(&event.to_string(), &invocation).await.unwrap() {
        Answer::Mapping(answer) => {
            answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
        }
        Answer::Dispatch(summary) => panic!("a mapping was answered with {summary:?}"),
    }
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::new(300, 200).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A record of S3's notification.
fn created(key: &str) -> Value {
    json!({
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2025-03-14T09:27:42.589Z",
        "userIdentity": {}, "requestParameters": {}, "responseElements": {},
        "s3": {
            "bucket": {"name": "uploads"},
            "object": {"key": key, "size": 1_000, "eTag": "d41d8cd9", "sequencer": "0055AED6DCD90281E5"},
        },
    })
}

/// A queue's event: one message for each notification, with the ids `m-0`, `m-1`, …
fn messages(notifications: &[Vec<Value>]) -> Value {
    let message = |(index, records): (usize, &Vec<Value>)| {
        json!({
            "messageId": format!("m-{index}"), "receiptHandle": "h", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:images",
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": json!({"Records": records}).to_string(),
        })
    };
    json!({"Records": notifications.iter().enumerate().map(message).collect::<Vec<_>>()})
}

#[tokio::test]
async fn an_image_gets_a_thumbnail_under_its_own_key_and_of_its_own_type() {
    let aws = Aws::holding(&[("봄 1+1.JPG", &picture(ImageFormat::Jpeg)), ("a.gif", &picture(ImageFormat::Png))]);
    let event = messages(&[vec![created("%EB%B4%84+1%2B1.JPG")], vec![created("a.gif")]]);
    assert_eq!(aws.invoke(&MemoryStore::default(), &event).await, [""; 0]);
    assert_eq!(
        *aws.written.lock().unwrap(),
        [["thumbnails", "봄 1+1.JPG", "image/jpeg"], ["thumbnails", "a.gif", "image/png"]],
        "the type is the content's, whatever the key says"
    );
}

#[tokio::test]
async fn a_second_notification_of_the_same_object_makes_no_second_thumbnail() {
    let (aws, store) = (Aws::holding(&[("a.png", &picture(ImageFormat::Png))]), MemoryStore::default());
    let event = messages(&[vec![created("a.png")], vec![created("a.png")]]);
    assert_eq!(aws.invoke(&store, &event).await, [""; 0]);
    assert_eq!((aws.reads.load(Relaxed), aws.written.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn an_object_that_is_gone_or_was_replaced_needs_no_thumbnail() {
    let aws = Aws::default();
    aws.objects.lock().unwrap().insert("new.png".to_owned(), ObjectAnswer::Superseded);
    let event = messages(&[vec![created("gone.png")], vec![created("new.png")]]);
    assert_eq!(aws.invoke(&MemoryStore::default(), &event).await, [""; 0]);
    assert_eq!((aws.reads.load(Relaxed), aws.written_keys(), aws.dead_letters.lock().unwrap().len()), (2, vec![], 0));
}

#[tokio::test]
async fn what_is_no_image_goes_to_the_dead_letters_with_its_reason_and_not_its_neighbour() {
    let aws = Aws::holding(&[("a.jpg", b"Dear Sir or Madam"), ("b.png", &picture(ImageFormat::Png)), ("c.png", b"")]);
    aws.objects.lock().unwrap().insert("d.gif".to_owned(), ObjectAnswer::TooLarge);
    let event = messages(&["a.jpg", "b.png", "c.png", "d.gif"].map(|key| vec![created(key)]));
    assert_eq!(aws.invoke(&MemoryStore::default(), &event).await, [""; 0]);
    assert_eq!(aws.written_keys(), ["b.png"]);
    assert_eq!(
        *aws.dead_letters.lock().unwrap(),
        [
            "no image of a known format (JPEG, PNG, GIF, WebP): uploads/a.jpg",
            "the object is empty: uploads/c.png",
            "more than 52428800 bytes: uploads/d.gif",
        ]
    );
}

#[tokio::test]
async fn an_object_that_its_event_says_is_too_large_is_not_read() {
    let aws = Aws::default();
    let mut record = created("a.jpg");
    record["s3"]["object"]["size"] = json!(52_428_801);
    aws.invoke(&MemoryStore::default(), &messages(&[vec![record]])).await;
    assert_eq!((aws.reads.load(Relaxed), aws.dead_letters.lock().unwrap().len()), (0, 1));
}

#[tokio::test]
async fn an_object_in_the_bucket_of_thumbnails_is_rejected_unread() {
    let aws = Aws::default();
    let mut record = created("a.jpg");
    record["s3"]["bucket"]["name"] = json!("thumbnails");
    aws.invoke(&MemoryStore::default(), &messages(&[vec![record]])).await;
    assert_eq!(aws.reads.load(Relaxed), 0);
    assert!(aws.dead_letters.lock().unwrap()[0].contains("for ever"), "{:?}", aws.dead_letters);
}

#[tokio::test]
async fn an_object_that_cannot_be_read_now_comes_again_and_its_claim_is_free() {
    let (aws, store) = (Aws::holding(&[("a.png", &picture(ImageFormat::Png))]), MemoryStore::default());
    let event = messages(&[vec![created("a.png")]]);
    aws.denies.store(true, Relaxed);
    assert_eq!(aws.invoke(&store, &event).await, ["m-0"]);
    assert_eq!((aws.hidden.load(Relaxed), aws.dead_letters.lock().unwrap().len()), (1, 0));
    aws.denies.store(false, Relaxed);
    assert_eq!(aws.invoke(&store, &event).await, [""; 0]);
    assert_eq!(aws.written_keys(), ["a.png"]);
}

#[tokio::test]
async fn what_is_no_new_image_is_left_alone() {
    let aws = Aws::default();
    let mut removed = created("a.jpg");
    removed["eventName"] = json!("ObjectRemoved:Delete");
    let others = ["photos.jpg/", "notes.txt", "jpg", "a.jpg.zip"].map(created);
    let event = messages(&[vec![removed], others.to_vec()]);
    assert_eq!(aws.invoke(&MemoryStore::default(), &event).await, [""; 0]);
    assert_eq!((aws.reads.load(Relaxed), aws.dead_letters.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn the_objects_of_one_notification_are_all_worked_on_whatever_is_wrong_with_one() {
    let aws = Aws::holding(&[("a.png", b"broken"), ("b.png", &picture(ImageFormat::Png))]);
    let unreadable = json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"});
    let event = messages(&[vec![created("a.png"), unreadable, created("b.png")]]);
    aws.invoke(&MemoryStore::default(), &event).await;
    assert_eq!(aws.written_keys(), ["b.png"]);
    assert_eq!(*aws.dead_letters.lock().unwrap(), ["no image of a known format (JPEG, PNG, GIF, WebP): uploads/a.png"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_takes_too_long_is_handed_back_before_the_deadline() {
    let aws = Aws::default();
    aws.hangs.store(true, Relaxed);
    let event = messages(&[vec![created("a.png")], vec![created("b.png")]]);
    let started = Instant::now();
    let lookup = |name: &str| (name == "THUMBNAIL_BUCKET").then(|| "thumbnails".to_owned());
    let (settings, config) = QueueSettings::with(&lookup, Config::read).unwrap();
    let worker = Worker::new(settings, Thumbnails::new(config, &aws), &aws);
    assert_eq!(handed_back(&worker, &event).await.len(), 2);
    assert_eq!((aws.reads.load(Relaxed), aws.hidden.load(Relaxed)), (1, 2), "the second is not begun");
    assert!(started.elapsed() < Duration::from_mins(1));
}
