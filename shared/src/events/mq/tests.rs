use chrono::DateTime;
use serde_json::{Value, json};

use super::{
    property::{text, time},
    *,
};
use crate::events::EventError;

fn only(event: &Value) -> Result<BrokerMessage, MalformedMessage> {
    let mut messages = read_broker_messages(&event.to_string()).unwrap().messages;
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn active(message: &Value) -> Value {
    json!({"eventSource": "aws:mq", "messages": [message]})
}

fn rabbit(queue: &str, message: &Value) -> Value {
    json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {queue: [message]}})
}

#[test]
fn a_message_needs_its_data_only_and_null_is_an_empty_body() {
    for message in [json!({"data": "aGk="}), json!({"data": "aGk=", "destination": 7, "messageID": [], "priority": -1})]
    {
        let message = only(&active(&message)).unwrap();
        assert_eq!((message.queue, message.message_id, message.place), (None, None, 1));
        assert_eq!((message.priority, message.is_redelivered, message.sent_at), (None, false, None));
        assert_eq!(message.body, b"hi");
    }
    for event in [active(&json!({"data": null})), rabbit("jobs::/", &json!({"data": null, "basicProperties": null}))] {
        assert_eq!(only(&event).unwrap().body, b"");
    }
    for event in [active(&json!({})), rabbit("jobs::/", &json!({"basicProperties": {}}))] {
        assert_eq!(only(&event).unwrap_err().problem.to_string(), "broker message has no data");
    }
}

#[test]
fn properties_of_another_type_are_named_and_refuse_nothing() {
    let properties = json!({"contentType": {"bytes": [1]}, "headers": [], "priority": "4", "correlationId": 7,
        "messageId": {}, "timestamp": 1_784_523_967_000_i64});
    let event = rabbit("jobs::/", &json!({"basicProperties": properties, "redelivered": "no", "data": ""}));
    let found = read_broker_messages(&event.to_string()).unwrap();
    assert!(found.messages[0].is_ok());
    let names = ["messageId", "correlationId", "contentType", "priority", "redelivered", "timestamp", "headers"];
    assert_eq!(found.ignored.names(), names);
}

#[test]
fn a_queues_name_may_have_colons_of_its_own() {
    let queue = |key: &str| {
        let message = only(&rabbit(key, &json!({"data": ""}))).unwrap();
        (message.queue.unwrap(), message.virtual_host)
    };
    assert_eq!(queue("a::b::/"), ("a::b".to_owned(), Some("/".to_owned())));
    assert_eq!(queue("a"), ("a".to_owned(), None));
}

#[test]
fn a_bad_message_fails_alone_and_keeps_its_names_and_its_body() {
    let good = json!({"messageID": "ID:2", "destination": {"physicalName": "jobs"}, "data": ""});
    let bad = json!({"messageID": "ID:1", "destination": {"physicalName": "jobs"}, "data": "!", "priority": 4});
    let list = json!(["ID:3", "jobs"]);
    let messages = read_broker_messages(&json!({"messages": [bad, 7, good, list]}).to_string()).unwrap().messages;
    let [Err(named), Err(unnamed), Ok(_), Err(list)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((named.queue.as_deref(), named.message_id.as_deref()), (Some("jobs"), Some("ID:1")));
    assert_eq!((&*named.body, named.place), (r#""!""#, 1));
    assert_eq!(named.problem.to_string(), "data of the broker message is not base64 at byte 0");
    assert_eq!((&unnamed.queue, &unnamed.message_id, &*unnamed.body, unnamed.place), (&None, &None, "7", 2));
    assert_eq!((&*list.body, list.place), (r#"["ID:3","jobs"]"#, 4));
    let bad = json!({"basicProperties": {"messageId": "m"}, "data": 7});
    let malformed = only(&rabbit("jobs::/", &bad)).unwrap_err();
    assert_eq!((malformed.queue.as_deref(), malformed.message_id.as_deref()), (Some("jobs"), Some("m")));
    assert_eq!(&*malformed.body, "7");
    let no_list = json!({"rmqMessagesByQueue": {"jobs::/": "secret"}});
    let malformed = only(&no_list).unwrap_err();
    assert_eq!((malformed.queue.as_deref(), &*malformed.body), (Some("jobs"), r#""secret""#));
    assert_eq!(malformed.problem.to_string(), "queue of the Amazon MQ event is a text, not a list");
}

#[test]
fn headers_are_text_whatever_java_makes_of_them() {
    for (value, expected) in [
        (json!({"bytes": [118, 97, 108]}), "val"),
        (json!({"bytes": [-19, -107, -100]}), "한"),
        (json!({"bytes": [237, 149, 156]}), "한"),
        (json!({"bytes": [255, 254]}), "fffe"),
        (json!({"bytes": [1000]}), r#"{"bytes":[1000]}"#),
        (json!(10), "10"),
        (json!("as it is"), "as it is"),
        (json!(null), "null"),
        (json!([{"queue": {"bytes": [97]}}, [{"bytes": [98]}, 2]]), r#"[{"queue":"a"},["b",2]]"#),
    ] {
        assert_eq!(text(value), expected);
    }
}

#[test]
fn a_time_is_read_as_java_writes_it() {
    let expected = DateTime::from_timestamp(2_021, 0);
    assert_eq!(time("Jan 1, 1970, 12:33:41 AM"), expected);
    assert_eq!(time("Jan 1, 1970, 12:33:41\u{202f}AM"), expected);
    assert_eq!(time("1970-01-01T00:33:41Z"), None);
}

#[test]
fn another_shape_is_no_brokers_event_and_null_is_one_without_messages() {
    for event in ["{}", r#"{"Records": []}"#] {
        assert!(matches!(read_broker_messages(event), Err(EventError::UnknownShape { .. })), "{event}");
    }
    for event in [r#"{"messages": 7}"#, r#"{"rmqMessagesByQueue": [["q"]]}"#] {
        assert!(matches!(read_broker_messages(event), Err(EventError::WrongType { .. })), "{event}");
    }
    for event in [
        r#"{"messages": []}"#,
        r#"{"messages": null}"#,
        r#"{"rmqMessagesByQueue": null}"#,
        r#"{"rmqMessagesByQueue": {"q::/": null}}"#,
    ] {
        assert!(read_broker_messages(event).unwrap().messages.is_empty(), "{event}");
    }
}
