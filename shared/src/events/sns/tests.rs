use super::*;
use crate::events::AttributeValue;

const ENVELOPE: &str = r#"{"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:us-east-1:123456789012:t",
    "Message":"hello","Timestamp":"2026-01-02T03:04:05.678Z"}"#;

#[test]
fn an_envelope_needs_no_signature() {
    let notification = Notification::from_envelope(ENVELOPE).unwrap();
    assert_eq!(notification.message, "hello");
    assert_eq!(notification.subject, None);
}

#[test]
fn a_users_own_json_with_a_message_key_is_no_envelope() {
    for body in [
        r#"{"Message":"hello","name":"Ada"}"#,
        r#"{"Type":"Notification","Message":"hello"}"#,
        r#"{"Type":"Letter","TopicArn":"t","MessageId":"m","Message":"hello","Timestamp":"2026-01-02T03:04:05Z"}"#,
        r#"{"Type":"Notification","TopicArn":"t"}"#,
        r#"["Notification","m","t",null,"hello"]"#,
        "not JSON",
        "[]",
    ] {
        assert_eq!(Notification::from_envelope(body), None, "{body}");
    }
}

fn only(sns: &str) -> (Result<Notification, MalformedNotification>, Vec<String>) {
    let mut found = read_notifications(&format!(r#"{{"Records":[{{"Sns":{sns}}}]}}"#)).unwrap();
    assert_eq!(found.records.len(), 1);
    (found.records.remove(0), found.ignored.names().iter().map(ToString::to_string).collect())
}

#[test]
fn a_notification_needs_its_message_only() {
    let (notification, ignored) = only(
        r#"{"Message":"hello","MessageId":7,"TopicArn":[],"Subject":{},"Timestamp":"yesterday","MessageAttributes":[1]}"#,
    );
    let notification = notification.unwrap();
    assert_eq!(notification.message, "hello");
    assert_eq!((&notification.message_id, &notification.topic_arn, &notification.subject), (&None, &None, &None));
    assert_eq!((notification.published_at, notification.attributes.len()), (None, 0));
    assert_eq!(ignored, ["Sns.MessageId", "Sns.TopicArn", "Sns.Subject", "Sns.Timestamp", "Sns.MessageAttributes"]);
    assert_eq!(only(r#"{"Message":"hello"}"#).1, [""; 0]);
}

#[test]
fn a_message_that_is_no_text_is_kept_as_its_json() {
    let half_a_character = r#""\ud83d""#;
    for (message, expected) in
        [(r#"{"a": 1}"#, r#"{"a": 1}"#), ("7", "7"), (half_a_character, half_a_character), (r#""""#, "")]
    {
        assert_eq!(only(&format!(r#"{{"Message":{message}}}"#)).0.unwrap().message, expected);
    }
}

#[test]
fn what_has_no_message_is_refused_with_its_names() {
    let refused = only(r#"{"MessageId":"m","TopicArn":"t","Message":null}"#).0.unwrap_err();
    assert_eq!((refused.message_id.as_deref(), refused.topic_arn.as_deref()), (Some("m"), Some("t")));
    assert_eq!(refused.problem.to_string(), "SNS notification has no Message");
}

#[test]
fn attributes_are_read_in_either_spelling_and_a_bad_one_is_left_out_by_name() {
    let attributes = r#"{"a":{"Type":"String","Value":"1"},"b":{"DataType":"String","StringValue":"2"},
        "c":{"Type":"Binary","Value":"AAE="},"d":{"Type":"Binary","Value":"secret!"},"e":7,"f":null,"g":{"Value":"3"}}"#;
    let (notification, ignored) = only(&format!(r#"{{"Message":"","MessageAttributes":{attributes}}}"#));
    let attributes = notification.unwrap().attributes;
    let value = |name: &str| &attributes[name].value;
    assert_eq!(value("a"), &AttributeValue::Text("1".to_owned()));
    assert_eq!(value("b"), &AttributeValue::Text("2".to_owned()));
    assert_eq!(value("c"), &AttributeValue::Binary(vec![0, 1]));
    assert_eq!(value("g"), &AttributeValue::Text("3".to_owned()));
    assert_eq!(ignored, ["attribute d", "attribute e", "attribute f"]);
}
