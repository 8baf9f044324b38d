//! A wrong setting is found at the start, and every one of them is named.

use super::FUNCTIONS;
use crate::lambda::{Lambda, Line};

/// Starts a function that must not start; gives its one line.
async fn refusal(function: &'static str, settings: &[(&str, &str)]) -> Line {
    let ended = Lambda::start(function, settings).await.ended().await;
    assert_eq!(ended.status.code(), Some(1), "{function}: {:?}", ended.lines);
    let [line] = ended.lines.as_slice() else { panic!("{function} wrote other than one line: {:?}", ended.lines) };
    let line = Line::read(line);
    assert_eq!((line.text("level"), line.text("message")), ("FATAL", "cannot start"), "{line:?}");
    assert_eq!(ended.told.as_deref(), Some(line.text("error")), "Lambda is told the same");
    line
}

#[tokio::test]
async fn wrong_settings_end_the_process_at_once_and_are_all_named() {
    let wrong: [(&str, &[(&str, &str)]); 8] = [
        ("firehose-transformer", &[("DROP_WHEN", "level"), ("UNKNOWN_DEADLINE_MS", "soon")]),
        (
            "kinesis-logger",
            &[("LOGGED_DATA_MAX_BYTES", "lots"), ("FAIL_WHOLE_BATCH", "no"), ("UNKNOWN_DEADLINE_MS", "0")],
        ),
        ("mq-logger", &[("LOGGED_DATA_MAX_BYTES", "-1")]),
        (
            "s3-object-logger",
            &[("ALERT_PHONE_NUMBER", "555"), ("ALERT_TOPIC_ARN", "uploads"), ("ALERT_ROUTES", "s3-pigeon")],
        ),
        (
            "scheduled-poller",
            &[
                ("QUEUE_URL", ""),
                ("INVOCATION_TYPE", "Sometimes"),
                ("RECEIVERS", "-1"),
                ("WORKER_CONCURRENCY", "0"),
                ("WORKER_TIMEOUT_SECONDS", "soon"),
                ("PAYLOAD_LIMIT_BYTES", "7"),
                ("WORKER_FUNCTION", " "),
            ],
        ),
        ("sns-logger", &[("LOGGED_MESSAGE_MAX_BYTES", "lots")]),
        (
            "sqs-worker",
            &[
                ("BATCH_CONCURRENCY", "0"),
                ("MAX_RECEIVES", "0"),
                ("VISIBILITY_SECONDS", "0"),
                ("MAX_TRIES", "-5"),
                ("RETRY_INITIAL_SECONDS", "43201"),
                ("RETRY_MAX_SECONDS", "1.5"),
                ("DEAD_LETTER_QUEUES", "jobs"),
                ("ENABLE_DRILLS", "perhaps"),
                ("FAIL_WHOLE_BATCH", "no"),
            ],
        ),
        (
            "thumbnailer",
            &[
                ("THUMBNAIL_BUCKET", ""),
                ("THUMBNAIL_PIXELS", "0"),
                ("MAX_PIXELS", "many"),
                ("MAX_OBJECT_BYTES", "50 MB"),
                ("RETRY_MAX_SECONDS", "1.5"),
            ],
        ),
    ];
    for (function, settings) in wrong {
        let line = refusal(function, settings).await;
        for (name, _) in settings {
            assert!(line.text("error").contains(name), "{name} is not named: {line:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_log_setting_is_named_too() {
    for function in FUNCTIONS {
        for (name, value) in [("AWS_LAMBDA_LOG_LEVEL", "LOUD"), ("AWS_LAMBDA_LOG_FORMAT", "XML")] {
            let line = refusal(function, &[(name, value)]).await;
            assert!(line.text("error").contains(name), "{line:?}");
        }
    }
}

#[tokio::test]
async fn the_fatal_line_is_written_at_every_level() {
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        refusal("sns-logger", &[("LOGGED_MESSAGE_MAX_BYTES", "lots"), ("AWS_LAMBDA_LOG_LEVEL", level)]).await;
    }
}

#[tokio::test]
async fn a_process_that_would_get_several_events_at_once_says_that_it_takes_one() {
    let line = refusal("sns-logger", &[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]).await;
    assert!(line.says("AWS_LAMBDA_MAX_CONCURRENCY is more than 1"), "{line:?}");
}
