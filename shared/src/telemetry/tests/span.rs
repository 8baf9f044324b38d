//! The fields of open spans are part of each line.

use lambda_runtime::{Context, layers::trace::request_span};
use tracing::field::Empty;

use super::*;

/// What a line says after its sentence.
fn after_sentence(line: &str) -> &str {
    line.split_once(r#""message":"done""#).unwrap().1.trim_end()
}

#[test]
fn fields_of_open_spans_stand_in_each_line_the_outermost_first() {
    let lines = logged(&[], || {
        drop(invocation());
        let _outer = tracing::info_span!("batch", batch.id = 7, urgent = true, ratio = 0.5).entered();
        let _invocation = invocation();
        let _inner = tracing::info_span!("order", order.id = %"o-1", note = ?"x").entered();
        tracing::info!(last = 1, "done");
    });
    assert_eq!(
        after_sentence(&lines),
        r#","requestId":"r-1","batch.id":7,"urgent":true,"ratio":0.5,"order.id":"o-1","note":"\"x\"","last":1}"#
    );
}

#[test]
fn spans_speak_in_text_too() {
    let lines = logged(&[("AWS_LAMBDA_LOG_FORMAT", "Text")], || {
        let _span = tracing::info_span!("order", order.id = "o-1", order.lines = 3).entered();
        tracing::info!(last = 1, "done");
    });
    assert!(lines.ends_with(" done order.id=\"o-1\" order.lines=3 last=1\n"), "{lines}");
}

#[test]
fn no_field_stands_twice_and_the_innermost_counts() {
    let lines = logged(&[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
        drop(invocation());
        let _invocation = invocation();
        let _outer = tracing::info_span!("outer", id = 1, step = "outer", level = "x", function = "x").entered();
        let _inner = tracing::info_span!("inner", id = 2, requestId = "another", cold_start = true).entered();
        tracing::info!(step = "own", timestamp = "never", "done");
    });
    assert_eq!(after_sentence(&lines), r#","requestId":"r-1","function":"f","id":2,"step":"own"}"#);
}

#[test]
fn what_a_span_learns_later_stands_in_the_lines_after() {
    let lines = logged(&[], || {
        let span = tracing::info_span!("order", order.id = Empty, requestId = Empty).entered();
        tracing::info!("done");
        span.record("order.id", 3).record("requestId", "r-2");
        tracing::info!("done");
    });
    let lines: Vec<&str> = lines.lines().map(after_sentence).collect();
    assert_eq!(lines, ["}", r#","requestId":"r-2","cold_start":true,"order.id":3}"#]);
}

#[test]
fn spans_of_the_function_are_kept_from_info_up_and_those_of_libraries_not() {
    let work = || {
        let _info = tracing::info_span!("info", info = 1).entered();
        let _debug = tracing::debug_span!("debug", debugged = 1).entered();
        let _library = tracing::info_span!(target: "aws_smithy_runtime", "invoke", rpc = 1).entered();
        tracing::error!("done");
    };
    for (level, said) in
        [("ERROR", r#","info":1}"#), ("INFO", r#","info":1}"#), ("DEBUG", r#","info":1,"debugged":1}"#)]
    {
        assert_eq!(after_sentence(&logged(&[("AWS_LAMBDA_LOG_LEVEL", level)], work)), said, "{level}");
    }
}

/// `lambda_runtime::run` opens a span of its own, at INFO.
#[test]
fn under_the_plain_runtime_lines_have_the_request_id_at_every_level() {
    let mut context = Context::default();
    "r-1".clone_into(&mut context.request_id);
    context.xray_trace_id = Some("Root=1-2-3".to_owned());
    for level in ["TRACE", "INFO", "ERROR"] {
        let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", level)], || {
            request_span(&context).in_scope(|| tracing::error!("done"));
        });
        let expected = r#","requestId":"r-1","cold_start":true,"xrayTraceId":"Root=1-2-3"}"#;
        assert_eq!(after_sentence(&lines), expected, "{level}");
    }
}
