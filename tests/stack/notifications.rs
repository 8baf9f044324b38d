//! What people publish.

use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use super::{
    Stack,
    job::{Job, run_mark},
    log::Log,
    queue,
    turn::beside_others,
};

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(value).build().unwrap()
}

#[tokio::test]
async fn a_notification_is_logged_with_its_subject_and_its_attributes() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut log = Log::from_now(&stack, "SnsLoggerFunctionName");
    let message = format!("Grüße aus {}", run_mark("notification"));
    let topic = stack.output("NotificationTopicArn");
    let publish = stack.sns.publish().topic_arn(topic).subject("A greeting").message(&message);
    let publish = publish.message_attributes("colour", attribute("String", "green"));
    let sent = publish.message_attributes("weight", attribute("Number", "3")).send().await.unwrap();

    let line = log.line("notification received", |line| line.text("body") == message).await;
    assert_eq!(line.text("record.message_id"), sent.message_id.unwrap());
    assert_eq!(line.text("topic.arn"), topic);
    assert_eq!(line.text("notification.subject"), "A greeting");
    assert_eq!(line.field("notification.message_bytes"), message.len());
    assert!(line.field("notification.truncated").is_null(), "said only of what was cut: {line:?}");
    assert!(!line.text("notification.published_at").is_empty());
    let attributes: Value = serde_json::from_str(line.text("notification.attributes")).unwrap();
    for (name, value) in [("colour", "green"), ("weight", "3")] {
        assert!(attributes[name].to_string().contains(value), "{attributes}");
    }
    assert_eq!(attributes.as_object().map(serde_json::Map::len), Some(2), "{}", json!(attributes));
}

#[tokio::test]
async fn a_notification_that_names_a_job_becomes_one_and_others_do_not() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let (mut log, mut worker) =
        (Log::from_now(&stack, "SnsLoggerFunctionName"), Log::from_now(&stack, "SqsWorkerFunctionName"));
    let mark = run_mark("named-job");
    let topic = stack.output("NotificationTopicArn");
    let publish = async |id: &str, kind: Option<&str>| {
        let mut request = stack.sns.publish().topic_arn(topic).message(Job::donor(id).body);
        if let Some(kind) = kind {
            request = request.message_attributes("JobType", attribute("String", kind));
        }
        request.send().await.unwrap();
    };
    let ids = ["other-job", "no-job", "job"].map(|id| format!("{mark}-{id}"));
    publish(&ids[0], Some("Drill")).await;
    publish(&ids[1], None).await;
    publish(&ids[2], Some("NewDonor")).await;
    for id in &ids {
        log.line("notification received", |line| line.text("body").contains(id)).await;
    }

    // The worker tells no bodies: it is asked whether it knows the donor already.
    let again = super::job::send(&stack, "JobQueueUrl", &[Job::donor(&ids[2])]).await;
    worker.line("job already done", |line| line.text("record.message_id") == again[0]).await;
    let fresh = super::job::send(&stack, "JobQueueUrl", &[Job::donor(&ids[0]), Job::donor(&ids[1])]).await;
    worker.lines_for("job done", "record.message_id", &fresh).await;
    queue::is_empty(&stack, "JobQueueUrl").await;
}
