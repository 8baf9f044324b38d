//! Lines from DEBUG up, of some invocations.

use tracing::Instrument;

use super::{init::log_panic, *};

const ON_FAILURE: (&str, &str) = ("LOG_DEBUG_ON_FAILURE", "true");

/// The sentences that three invocations leave, the second of which fails.
fn sentences(settings: &[(&str, &str)]) -> Vec<String> {
    let (subscriber, writes) = subscriber(settings);
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!("outside");
        for fails in [false, true, false] {
            let _invocation = invocation();
            tracing::debug!("asked");
            tracing::debug!(target: "hyper", "a library's");
            tracing::trace!("finer still");
            tracing::warn!("slow");
            if fails {
                log_failure("NoTable", "there is no table");
            }
            tracing::debug!("cleaned up");
        }
    });
    writes.sentences()
}

#[test]
fn without_a_setting_nothing_is_written_below_the_level() {
    assert_eq!(sentences(&[]), ["slow", "slow", "invocation failed", "slow"]);
}

#[test]
fn what_an_invocation_kept_is_written_when_it_fails_and_not_when_another_does() {
    for level in ["INFO", "WARN"] {
        let settings = [ON_FAILURE, ("AWS_LAMBDA_LOG_LEVEL", level)];
        assert_eq!(sentences(&settings), ["slow", "slow", "asked", "invocation failed", "slow"], "{level}");
    }
}

#[test]
fn a_function_that_writes_fatal_lines_alone_keeps_nothing() {
    let fatal = ("AWS_LAMBDA_LOG_LEVEL", "FATAL");
    assert_eq!(sentences(&[ON_FAILURE, ("LOG_SAMPLE_RATE", "1"), fatal]), [""; 0]);
}

#[test]
fn a_failure_that_the_plain_runtime_reports_counts_as_well() {
    let (subscriber, writes) = subscriber(&[ON_FAILURE]);
    tracing::subscriber::with_default(subscriber, || {
        let _invocation = invocation();
        tracing::debug!("asked");
        tracing::error!("an error line is not yet a failure");
        tracing::error!(target: "lambda_runtime::layers::panic", "NoTable");
    });
    assert_eq!(writes.sentences(), ["an error line is not yet a failure", "asked", "NoTable"]);
}

#[tokio::test]
async fn a_panic_is_written_at_once_with_what_was_kept() {
    let (subscriber, writes) = subscriber(&[ON_FAILURE]);
    let _guard = tracing::subscriber::set_default(subscriber);
    let invocation = tracing::info_span!("invocation", requestId = "r-1");
    let handler = gather(async {
        tracing::debug!("asked");
        log_panic("main.rs:1:1", "a drill");
        assert_eq!(writes.sentences(), ["asked", "panicked"]);
    });
    handler.instrument(invocation).await;
    assert_eq!(writes.all().len(), 1);
}

/// In JSON format Lambda drops lines below the function's level.
#[test]
fn a_line_of_detail_carries_the_least_level_that_lambda_lets_through_and_says_what_it_is() {
    for (level, written) in [("INFO", "INFO"), ("ERROR", "ERROR")] {
        for more in [ON_FAILURE, ("LOG_SAMPLE_RATE", "1")] {
            let work = || {
                let _invocation = invocation();
                tracing::debug!(step = 1, "asked");
                log_failure("NoTable", "there is no table");
            };
            let settings = [("AWS_LAMBDA_LOG_LEVEL", level), more];
            let line = logged(&settings, work).lines().next().unwrap().to_owned();
            let expected = format!(
                r#""level":"{written}","message":"asked","requestId":"r-1","cold_start":true,"debug":true,"step":1}}"#
            );
            assert!(line.ends_with(&expected), "{line}");
            let text = logged(&[&settings[..], &[("AWS_LAMBDA_LOG_FORMAT", "Text")]].concat(), work);
            assert!(text.contains(" DEBUG asked requestId=r-1 cold_start=true step=1\n"), "{text}");
        }
    }
}

#[test]
fn a_debug_level_writes_debug_lines_as_such() {
    let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ON_FAILURE], || {
        let _invocation = invocation();
        tracing::debug!("asked");
    });
    assert!(lines.contains(r#""level":"DEBUG","message":"asked""#) && !lines.contains(r#""debug":true"#), "{lines}");
}

#[test]
fn of_what_is_kept_the_last_64_kib_are() {
    let (subscriber, writes) = subscriber(&[ON_FAILURE]);
    tracing::subscriber::with_default(subscriber, || {
        let _invocation = invocation();
        for number in 0..1_000 {
            tracing::debug!(number, text = "x".repeat(900), "asked");
        }
        tracing::debug!(text = "x".repeat(100_000), "larger than all that is kept");
        for number in 1_000..1_100 {
            tracing::debug!(number, text = "x".repeat(900), "asked");
        }
        log_failure("NoTable", "there is no table");
    });
    let lines = writes.lines();
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line["number"].as_u64()).collect();
    assert!((50..70).contains(&numbers.len()), "{numbers:?}");
    assert_eq!(numbers, (1_100 - numbers.len() as u64..1_100).collect::<Vec<_>>());
    assert_eq!(lines.last().unwrap()["message"], "invocation failed");
}

#[test]
fn a_share_of_the_invocations_is_logged_in_detail_and_each_of_them_whole() {
    let written_of = |rate: &str| {
        let (subscriber, writes) = subscriber(&[("LOG_SAMPLE_RATE", rate)]);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("outside");
            for number in 0..2_000 {
                let _invocation = tracing::info_span!("invocation", requestId = number.to_string()).entered();
                tracing::debug!("one");
                tracing::debug!("two");
            }
        });
        let lines = writes.lines();
        for pair in lines.chunks(2) {
            assert_eq!((&pair[0]["message"], &pair[1]["message"]), (&"one".into(), &"two".into()));
            assert_eq!(pair[0]["requestId"], pair[1]["requestId"]);
        }
        lines.len() / 2
    };
    assert_eq!((written_of("0"), written_of("1")), (0, 2_000));
    assert!((350..650).contains(&written_of("0.25")));
}
