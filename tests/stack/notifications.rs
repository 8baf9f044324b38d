//! What people publish.

use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use super::{Stack, job::run_mark, log::Log, turn::beside_others};

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

    let line = log.line("notification received", |line| line.text("notification.message") == message).await;
    assert_eq!(line.text("record.message_id"), sent.message_id.unwrap());
    assert_eq!(line.text("topic.arn"), topic);
    assert_eq!(line.text("notification.subject"), "A greeting");
    assert_eq!(line.field("notification.message_bytes"), message.len());
    assert_eq!(line.field("notification.truncated"), false);
    assert!(!line.text("notification.published_at").is_empty());
    let attributes: Value = serde_json::from_str(line.text("notification.attributes")).unwrap();
    for (name, value) in [("colour", "green"), ("weight", "3")] {
        assert!(attributes[name].to_string().contains(value), "{attributes}");
    }
    assert_eq!(attributes.as_object().map(serde_json::Map::len), Some(2), "{}", json!(attributes));
}
