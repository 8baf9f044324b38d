//! A line, its budget, and which events become one.

use std::io;

use super::*;

#[test]
fn a_line_is_one_flat_json_object_in_the_order_of_the_contract() {
    let lines = logged(&[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
        drop(invocation());
        let _invocation = invocation();
        tracing::info!(object.key = %"a b.jpg", object.size_bytes = 3, route = "s3", "object created");
    });
    assert_eq!(
        lines,
        concat!(
            r#"{"timestamp":"2026-01-02T02:50:45.006Z","level":"INFO","message":"object created","requestId":"r-1","#,
            r#""function":"f","object.key":"a b.jpg","object.size_bytes":3,"route":"s3"}"#,
            "\n"
        )
    );
}

#[test]
fn the_lines_of_the_first_invocation_say_so_and_no_others() {
    for (format, said) in
        [("JSON", r#","function":"f","cold_start":true,"a":"b"}"#), ("Text", r#" cold_start=true a="b""#)]
    {
        let settings = [("AWS_LAMBDA_FUNCTION_NAME", "f"), ("AWS_LAMBDA_LOG_FORMAT", format)];
        let lines = logged(&settings, || {
            tracing::info!(a = "b", "starting");
            for _ in 0..3 {
                let _invocation = invocation();
                tracing::info!(a = "b", "one");
                tracing::info!(a = "b", "two");
            }
        });
        let says: Vec<bool> = lines.lines().map(|line| line.ends_with(said)).collect();
        assert_eq!(says, [false, true, true, false, false, false, false], "{lines}");
        assert_eq!(lines.matches("cold_start").count(), 2, "{lines}");
    }
}

#[test]
fn where_no_event_waits_for_the_start_no_invocation_is_cold() {
    for (started, cold) in [
        ("on-demand", true),
        ("snap-start", true),
        ("provisioned-concurrency", false),
        ("lambda-managed-instances", false),
    ] {
        let lines = logged(&[("AWS_LAMBDA_INITIALIZATION_TYPE", started)], || {
            let _invocation = invocation();
            tracing::info!("begun");
        });
        assert_eq!(lines.contains("cold_start"), cold, "{started}");
    }
}

#[test]
fn the_request_id_is_there_at_every_level() {
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] {
        let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", level)], || {
            let _invocation = invocation();
            tracing::error!("broken");
        });
        assert!(lines.contains(r#""requestId":"r-1""#), "{level}: {lines}");
    }
}

#[test]
fn at_fatal_only_fatal_lines_are_written() {
    let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", "fatal")], || {
        tracing::error!("broken");
        log_fatal(&io::Error::other("no queue"));
    });
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains(r#""level":"FATAL","message":"cannot start","error":"no queue""#), "{lines}");
}

#[test]
fn the_configured_level_wins_over_rust_log() {
    let both = [("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("RUST_LOG", "trace")];
    assert_eq!(logged(&both, || tracing::info!("quiet")), "");
    assert!(logged(&[("RUST_LOG", "debug")], || tracing::debug!("loud")).contains("loud"));
}

/// What ends a line somewhere, clears a terminal, or turns a line's direction round.
const FORGERIES: [&str; 7] = ["\n", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{1b}[2J", "\u{202e}"];

#[test]
fn control_characters_cannot_forge_a_line_in_any_value_or_sentence_of_either_format() {
    for format in ["JSON", "Text"] {
        for forgery in FORGERIES {
            let forged = format!("a{forgery}{{\"level\":\"FATAL\"}}");
            let lines = logged(&[("AWS_LAMBDA_LOG_FORMAT", format)], || {
                tracing::info!(object.key = forged, "text");
                tracing::info!(object.key = %forged, "displayed");
                tracing::info!(object.key = ?forged, "debugged");
                tracing::info!("{forged}");
                let _order = tracing::info_span!("order", order.id = forged).entered();
                tracing::info!("in a span");
                let _invocation = tracing::info_span!("invocation", requestId = forged).entered();
                tracing::info!("in an invocation");
            });
            assert_eq!(lines.lines().count(), 6, "{lines}");
            assert!(!lines.trim_end().replace('\n', "").contains(FORGERIES.map(|text| text.chars().next().unwrap())));
            assert!(lines.lines().all(|line| line.matches(r#""level":"#).count() <= 1), "{lines}");
        }
    }
}

/// The id of a request and of a message, as long as they are.
const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// docs/adr/0008: what a line costs before its own fields, and an ordinary line as a whole.
#[test]
fn a_record_s_line_stays_within_its_budget() {
    let lines = logged(&[("AWS_LAMBDA_FUNCTION_NAME", "sqs-worker")], || {
        drop(invocation());
        let _invocation = tracing::error_span!("invocation", requestId = ID).entered();
        tracing::info!("");
        tracing::info!(record.message_id = ID, job.r#type = "NewDonor", duration_ms = 12, "job done");
    });
    let bytes: Vec<usize> = lines.lines().map(|line| line.len() + 1).collect();
    assert_eq!(bytes[0] - "sqs-worker".len(), 134, "{lines}");
    assert_eq!(bytes[1], 250, "{lines}");
    assert_eq!(lines.matches(ID).count(), 3, "no id twice in a line: {lines}");
}

#[test]
fn the_runtime_never_logs_a_whole_event_and_a_panic_is_said_once() {
    let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")], || {
        tracing::trace!(target: "lambda_runtime::layers::api_response", body = "secret", "raw JSON event");
        tracing::error!(target: "lambda_runtime::layers::panic", error = "Any { .. }", "user handler panicked");
    });
    assert_eq!(lines, "");
}

#[test]
fn what_the_runtime_says_of_a_failure_is_written_where_nobody_else_has_said_it() {
    let says = |text: &str| tracing::error!(target: "lambda_runtime::layers::panic", "{text}");
    let lines = logged(&[], || {
        let in_plain_runtime = invocation();
        tracing::error!("another trouble");
        says("NoTable");
        drop(in_plain_runtime);
        let _in_ours = invocation();
        log_failure("NoTable", "there is no table");
        says("InvocationError { .. }");
    });
    let sentences: Vec<&str> = lines.lines().map(|line| line.split('"').nth(11).unwrap()).collect();
    assert_eq!(sentences, ["another trouble", "NoTable", "invocation failed"], "{lines}");
    assert!(lines.ends_with("\"error.type\":\"NoTable\",\"error.message\":\"there is no table\"}\n"), "{lines}");
}

#[test]
fn a_wrong_setting_is_named() {
    for (name, value) in [
        ("AWS_LAMBDA_LOG_LEVEL", "LOUD"),
        ("LOG_DEBUG_ON_FAILURE", "sometimes"),
        ("LOG_SAMPLE_RATE", "2"),
        ("LOG_SAMPLE_RATE", "NaN"),
    ] {
        let error = LogConfig::from_lookup(|asked| (asked == name).then(|| value.to_owned()));
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with(&format!("{name} is ")) && text.contains(value), "{text}");
    }
}
