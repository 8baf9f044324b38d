//! What becomes of objects: bucket → topic, bucket → function, bucket → EventBridge.

use aws_sdk_s3::primitives::ByteStream;

use super::{
    Stack,
    job::run_mark,
    log::{Line, Log},
    queue,
    turn::beside_others,
    wait::eventually,
};

/// `make test` deploys with a limit of 65,536.
const LARGE_BYTES: usize = 70_000;
/// Where `make test` has alerts sent: a number that belongs to nobody.
const PHONE_NUMBER: &str = "+15550100123";

async fn upload(stack: &Stack, key: &str, bytes: usize) {
    let bucket = stack.output("UploadBucketName");
    let body = ByteStream::from(vec![b'.'; bytes]);
    stack.s3.put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
}

fn object(line: &Line, key: &str, route: &str) -> bool {
    line.text("object.key") == key && line.text("route") == route
}

#[tokio::test]
async fn an_upload_is_logged_with_its_decoded_name_and_passed_on_to_the_topic_s_other_subscribers() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut objects = Log::from_now(&stack, "S3ObjectLoggerFunctionName");
    let mut notifications = Log::from_now(&stack, "SnsLoggerFunctionName");
    let mut worker = Log::from_now(&stack, "SqsWorkerFunctionName");
    let key = format!("{}/1+1 보고서.txt", run_mark("upload"));
    upload(&stack, &key, 12).await;

    let created = objects.line("object created", |line| object(line, &key, "s3-sns")).await;
    assert_eq!(created.text("bucket.name"), stack.output("UploadBucketName"));
    assert_eq!(created.field("object.size_bytes"), 12);
    assert!(created.field("object.folder_marker").is_null(), "said only of folder markers: {created:?}");
    assert!(created.text("event.name").starts_with("ObjectCreated:"), "{created:?}");

    let run = key.split_once('/').unwrap().0;
    let notified = |line: &Line| line.text("body").contains(run);
    let notification = notifications.line("notification received", notified).await;
    assert_eq!(notification.text("topic.arn"), stack.output("UploadTopicArn"));

    let processed = worker.line("object processed", |line| line.text("object.key") == key).await;
    let id = processed.text("record.message_id");
    let done = worker.line("job done", |line| line.text("record.message_id") == id).await;
    assert_eq!(done.text("job.type"), "ObjectCreated");
}

#[tokio::test]
async fn every_object_of_a_folder_is_logged_and_its_marker_is_known_as_one() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut objects = Log::from_now(&stack, "S3ObjectLoggerFunctionName");
    let folder = run_mark("folder");
    let keys = ["", "a.pdf", "b.pdf", "deeper/c.pdf"].map(|name| format!("{folder}/{name}"));
    for key in &keys {
        upload(&stack, key, if key.ends_with('/') { 0 } else { 3 }).await;
    }
    for key in &keys {
        let created = objects.line("object created", |line| object(line, key, "s3-sns")).await;
        assert_eq!(created.field("object.folder_marker") == true, key.ends_with('/'), "{created:?}");
    }
}

#[tokio::test]
async fn a_removed_object_is_logged_straight_from_the_bucket() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut objects = Log::from_now(&stack, "S3ObjectLoggerFunctionName");
    let key = format!("{}/short lived.txt", run_mark("removed"));
    upload(&stack, &key, 1).await;
    stack.s3.delete_object().bucket(stack.output("UploadBucketName")).key(&key).send().await.unwrap();
    let removed = objects.line("object removed", |line| object(line, &key, "s3")).await;
    assert!(removed.text("event.name").starts_with("ObjectRemoved:"), "{removed:?}");
}

#[tokio::test]
async fn a_large_object_comes_through_eventbridge_and_raises_an_alert_by_topic_and_by_sms() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut objects = Log::from_now(&stack, "S3ObjectLoggerFunctionName");
    let mut notifications = Log::from_now(&stack, "SnsLoggerFunctionName");
    let run = run_mark("large");
    let (large, small) = (format!("{run}/large file.bin"), format!("{run}/small file.bin"));
    upload(&stack, &small, 12).await;
    upload(&stack, &large, LARGE_BYTES).await;

    let created = objects.line("object created", |line| object(line, &large, "s3-eventbridge")).await;
    assert_eq!(created.field("object.size_bytes"), LARGE_BYTES);
    let invocation = created.text("requestId").to_owned();
    for channel in ["sms", "topic"] {
        let is_it = |line: &Line| line.text("requestId") == invocation && line.text("alert.channel") == channel;
        let sent = objects.line("alert sent", is_it).await;
        assert_eq!(sent.field("alert.objects"), 1);
    }

    let alerted = |line: &Line| {
        line.text("topic.arn") == stack.output("NotificationTopicArn") && line.text("body").contains(&large)
    };
    notifications.line("notification received", alerted).await;
    eventually("an SMS that names the object", async || {
        let sent = stack.emulator.text_messages(PHONE_NUMBER).await;
        if sent.iter().any(|text| text.contains(&run)) { Ok(()) } else { Err(format!("{sent:?}")) }
    })
    .await;
    assert!(!objects.read().await.iter().any(|line| object(line, &small, "s3-eventbridge")), "12 bytes are not large");
}

#[tokio::test]
async fn the_test_event_that_s3_sends_at_deploy_is_acknowledged_by_everyone_who_gets_it() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let of_our_bucket = |line: &Line| line.text("bucket.name") == stack.output("UploadBucketName");
    for function in ["S3ObjectLoggerFunctionName", "SqsWorkerFunctionName"] {
        Log::from_the_start(&stack, function).line("test event acknowledged", of_our_bucket).await;
    }
    queue::nothing_given_up(&stack, "s3:TestEvent", None).await;
}
