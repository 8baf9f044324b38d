use serde_json::Value;

use super::*;

#[test]
fn only_the_detail_is_needed() {
    let event = read_event_bridge::<Value>(r#"{"detail": {"a": 1}, "time": "soon", "source": 7, "detail-type": null}"#)
        .unwrap();
    assert_eq!((event.source, event.detail_type, event.time), (None, None, None));
    assert_eq!(event.ignored.names(), ["source", "time"]);
    for (event, problem) in [
        ("{}", "EventBridge event has no detail"),
        (r#"{"detail": null}"#, "EventBridge event has no detail"),
        ("[{}]", "not a valid EventBridge event: a list, not an object"),
    ] {
        assert_eq!(read_event_bridge::<Value>(event).unwrap_err().to_string(), problem);
    }
}

#[test]
fn a_detail_of_another_type_is_refused_without_a_word_of_it() {
    let problem = read_event_bridge::<u8>(r#"{"detail": "secret"}"#).unwrap_err().to_string();
    assert!(problem.contains("line 1") && !problem.contains("secret"), "{problem}");
}
