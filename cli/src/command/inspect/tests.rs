use std::{fs, path::Path};

use insta::{assert_snapshot, glob};

use super::*;

fn name(path: &Path) -> String {
    format!("{}/{}", path.parent().unwrap().file_name().unwrap().display(), path.file_stem().unwrap().display())
}

#[test]
fn every_sample_is_shown_as_its_snapshot_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        glob!("../../../../events", "*/*.json", |path| {
            let event = fs::read_to_string(path).unwrap();
            let report = Report::of(&event, None);
            let outcome = if report.refused { "refused" } else { "taken" };
            let text = format!("{}\n\n{outcome}", report.text(Output::to_pipe()));
            insta::with_settings!({ snapshot_suffix => name(path) }, { assert_snapshot!("inspect", text) });
        });
    });
}

#[test]
fn what_a_function_would_refuse_is_refused() {
    let event = |name: &str| fs::read_to_string(format!("../events/{name}.json")).unwrap();
    for name in [
        "s3/missing-bucket",
        "sns/missing-message",
        "sqs/missing-message-id",
        "sqs/missing-body",
        "garbage/null",
        "schedule/custom-input",
    ] {
        assert!(Report::of(&event(name), None).refused, "{name}");
    }
    for name in ["s3/object-created", "s3/test-event", "sqs/new-donor", "sqs/s3-sns-wrapped", "schedule/scheduler"] {
        assert!(!Report::of(&event(name), None).refused, "{name}");
    }
    assert!(Report::of(&event("sns/notification"), Some(Function::SqsWorker)).refused);
    assert!(!Report::of(&event("schedule/custom-input"), Some(Function::ScheduledPoller)).refused);
    let foreign = r#"{"Records": [{"eventSource": "aws:amq", "messageId": "1"}]}"#;
    assert!(Report::of(foreign, None).functions.is_empty() && Report::of(foreign, None).refused);
    assert!(Report::of("no JSON", None).refused);
}

#[test]
fn a_dead_letter_of_a_function_is_its_event_with_the_reason() {
    let event = include_str!("../../../../events/eventbridge/cloudtrail-call.json");
    let letter = |payload: &str| {
        format!(
            r#"{{"requestContext": {{"functionArn": "arn:aws:lambda:eu-north-1:210987654321:function:s3-object-logger:LIVE",
            "condition": "RetriesExhausted", "approximateInvokeCount": 3}}, "requestPayload": {payload},
            "responsePayload": {{"errorType": "UnreadableEvent", "errorMessage": "a call, no object"}}}}"#
        )
    };
    let report = Report::of(&letter(event), None);
    let text = report.text(Output::to_pipe());
    let expected = "dead letter of function s3-object-logger:LIVE\n  · RetriesExhausted after 3 invocations\n  \
                    · UnreadableEvent: a call, no object\n  EventBridge event";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(report.functions[0].problems, Report::of(event, None).functions[0].problems);
    let in_a_queue = serde_json::json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1", "receiptHandle": "h",
        "eventSourceARN": "arn:aws:sqs:eu-north-1:210987654321:letters", "body": letter(event)}]});
    let text = Report::of(&in_a_queue.to_string(), None).text(Output::to_pipe());
    assert!(text.contains("    dead letter of function s3-object-logger:LIVE\n"), "{text}");
}

#[test]
fn a_dead_letter_of_a_stream_is_a_place_in_the_stream() {
    let letter = |info: &str| {
        format!(
            r#"{{"requestContext": {{"functionArn": "arn:aws:lambda:eu-north-1:210987654321:function:kinesis-logger",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3}}, "{info}": {{"shardId": "shardId-3",
            "startSequenceNumber": "1", "endSequenceNumber": "2", "batchSize": 2,
            "streamArn": "arn:aws:kinesis:eu-north-1:210987654321:stream/orchard"}}}}"#
        )
    };
    for info in ["KinesisBatchInfo", "DDBStreamBatchInfo"] {
        let text = Report::of(&letter(info), None).text(Output::to_pipe());
        let place = "2 records of arn:aws:kinesis:eu-north-1:210987654321:stream/orchard, shardId-3, from 1 to 2";
        assert!(text.starts_with("dead letter of function kinesis-logger\n") && text.contains(place), "{text}");
        assert!(text.ends_with("no function is meant for it"), "{text}");
    }
}

#[test]
fn a_list_is_a_batch_only_of_records() {
    for list in [r#"[{"orders": 1}, {"orders": 2}]"#, "[]", "[1]"] {
        let text = Report::of(list, None).text(Output::to_pipe());
        assert!(text.starts_with("JSON list of") && text.ends_with("no function is meant for it"), "{text}");
    }
}

#[test]
fn the_report_is_json_too() {
    let event = fs::read_to_string("../events/sqs/s3-sns-wrapped.json").unwrap();
    let json = serde_json::to_value(Report::of(&event, None)).unwrap();
    assert_eq!(json["functions"][0]["function"], "sqs-worker");
    assert_eq!(json["refused"], false);
}
