use std::fs;

use sluicegate::events::dispatch::Message;

use super::*;

/// A letter as `ReceiveMessage` returns it.
fn sample(name: &str) -> Letter {
    let text = fs::read_to_string(format!("src/dead_letter/samples/{name}.json")).unwrap();
    Letter::read(serde_json::from_str::<Message>(&text).unwrap()).unwrap()
}

#[test]
fn each_kind_is_known_by_what_is_in_it() {
    for (name, kind, reason) in [
        ("moved", Kind::Moved, "received too often"),
        ("rejected", Kind::Rejected, "a donor has no name"),
        ("dispatch", Kind::Dispatch, "RetriesExhausted: UnreadableEvent: a call, no object"),
        ("invocation", Kind::Invocation, "RetriesExhausted: UnreadableEvent: a call, no object"),
        ("event", Kind::Event, "200: Task timed out after 3.00 seconds"),
        ("subscription", Kind::Subscription, "-"),
        ("rule", Kind::Rule, "NO_PERMISSIONS: The target does not let EventBridge in"),
        ("schedule", Kind::Schedule, "AWS.Lambda.ResourceNotFoundException: Function not found"),
        ("kinesis", Kind::Kinesis, "RetryAttemptsExhausted"),
        ("dynamodb", Kind::Dynamodb, "RetryAttemptsExhausted"),
        ("unknown", Kind::Unknown, "-"),
    ] {
        let letter = sample(name);
        assert_eq!((letter.origin.kind(), letter.reason().as_str()), (kind, reason), "{name}");
        assert_eq!(kind.to_string(), name);
    }
    assert_eq!(fs::read_dir("src/dead_letter/samples").unwrap().count(), 11);
}

#[test]
fn what_lambda_was_to_do_is_held_as_it_was() {
    assert_eq!(payload(&sample("invocation").record.body), Some(r#"{"b":1,"a":12345678901234567890123}"#));
    assert_eq!(payload(&sample("kinesis").record.body), None);
    assert_eq!(payload("no JSON with \"requestContext\""), None);
}

#[test]
fn letters_are_grouped_by_kind_and_reason_the_most_first() {
    let letters = ["moved", "invocation", "moved", "event"].map(sample);
    let groups = groups(&letters);
    let counts: Vec<(Kind, usize)> = groups.iter().map(|group| (group.kind, group.letters.len())).collect();
    assert_eq!(counts, [(Kind::Moved, 2), (Kind::Invocation, 1), (Kind::Event, 1)]);
}
