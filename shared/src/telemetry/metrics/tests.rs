use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    delivery::RecordError,
    telemetry::subscriber::tests::{NOW_MS, logged},
};

const ON: [(&str, &str); 2] = [("AWS_LAMBDA_FUNCTION_NAME", "f"), ("METRICS_NAMESPACE", "Sluicegate")];

/// The units that `CloudWatch` knows.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

fn emitted(settings: &[(&str, &str)], metrics: Metrics) -> String {
    logged(settings, || metrics.emit())
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Holds a line to the rules of the specification and its schema, each in turn.
fn assert_valid(line: &str) {
    let root: Value = serde_json::from_str(line).unwrap();
    assert_eq!(names(&root["_aws"]), ["CloudWatchMetrics", "Timestamp"]);
    assert!(root["_aws"]["Timestamp"].as_u64().is_some(), "milliseconds since 1970, whole");
    let directives = root["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert_eq!(directives.len(), 1);
    for directive in directives {
        assert_eq!(names(directive), ["Dimensions", "Metrics", "Namespace"]);
        assert!((1..=1_024).contains(&directive["Namespace"].as_str().unwrap().len()));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for dimension in sets.iter().flat_map(strings) {
            assert!((1..=250).contains(&dimension.len()));
            let value = root[dimension].as_str().unwrap_or_else(|| panic!("{dimension} is no text member: {line}"));
            assert!((1..=1_024).contains(&value.len()), "{value}");
        }
        assert!(sets.iter().all(|set| (1..=30).contains(&set.as_array().unwrap().len())));
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert_eq!(names(metric), ["Name", "Unit"]);
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=1_024).contains(&name.len()));
            assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()), "{metric}");
            match &root[name] {
                Value::Number(_) => {}
                Value::Array(values) => {
                    assert!((1..=100).contains(&values.len()), "{name} has {} values", values.len());
                    assert!(values.iter().all(Value::is_number), "{name}");
                }
                other => panic!("{name} is {other}"),
            }
        }
    }
    assert!(line.len() < 256 * 1_024);
}

fn outcomes() -> Vec<Outcome> {
    let outcome = |fate, millis| Outcome { fate, duration: Duration::from_millis(millis) };
    vec![
        outcome(Fate::Done, 12),
        outcome(Fate::Done, 3),
        outcome(Fate::Duplicate, 1),
        outcome(Fate::Retry(RecordError::retry("busy")), 7),
        outcome(Fate::GivenUp(RecordError::reject("no")), 2),
        outcome(Fate::NotStarted, 0),
        outcome(Fate::Blocked, 0),
    ]
}

#[test]
fn metrics_are_one_line_of_the_contract_and_of_the_embedded_metric_format() {
    let sent = [NOW_MS - 1_500, NOW_MS - 20, NOW_MS + 5].map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
    let now = UNIX_EPOCH + Duration::from_millis(NOW_MS);
    let metrics = Metrics::of("queue", "jobs.fifo").batch(7).outcomes(&outcomes()).ages(sent, now);
    let line = emitted(&ON, metrics);
    assert_valid(&line);
    let expected = concat!(
        r#"{"timestamp":"2026-01-02T02:50:45.006Z","level":"INFO","message":"metrics","function":"f","_aws":{"#,
        r#""Timestamp":1767322245006,"CloudWatchMetrics":[{"Namespace":"Sluicegate","Dimensions":[["function","queue"]],"#,
        r#""Metrics":[{"Name":"Records","Unit":"Count"},{"Name":"BatchSize","Unit":"Count"},"#,
        r#"{"Name":"Duplicates","Unit":"Count"},{"Name":"RecordsRetried","Unit":"Count"},"#,
        r#"{"Name":"RecordsGivenUp","Unit":"Count"},{"Name":"RecordsNotStarted","Unit":"Count"},"#,
        r#"{"Name":"RecordsBlocked","Unit":"Count"},{"Name":"HandlerDuration","Unit":"Milliseconds"},"#,
        r#"{"Name":"MessageAge","Unit":"Milliseconds"}]}]},"queue":"jobs.fifo","Records":7,"BatchSize":7,"#,
        r#""Duplicates":1,"RecordsRetried":1,"RecordsGivenUp":1,"RecordsNotStarted":1,"RecordsBlocked":1,"#,
        r#""HandlerDuration":[12,3,1,7,2],"MessageAge":[1500,20,0]}"#,
        "\n"
    );
    assert_eq!(line, expected);
}

#[test]
fn metrics_are_off_unless_a_namespace_is_set_and_outside_lambda() {
    let records = || Metrics::new().count("Records", 1);
    for settings in [
        &[("AWS_LAMBDA_FUNCTION_NAME", "f")][..],
        &[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("METRICS_NAMESPACE", "")],
        &[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("METRICS_NAMESPACE", "off")],
        &[("METRICS_NAMESPACE", "Sluicegate")],
    ] {
        assert_eq!(emitted(settings, records()), "", "{settings:?}");
    }
    assert_ne!(emitted(&ON, records()), "");
}

#[test]
fn an_invocation_that_measured_nothing_writes_nothing() {
    assert_eq!(emitted(&ON, Metrics::new().count("Records", 0).durations("MessageAge", [])), "");
}

#[test]
fn metrics_carry_the_least_level_that_lambda_lets_through_and_are_json_in_either_format() {
    for (configured, written) in
        [("TRACE", "INFO"), ("INFO", "INFO"), ("WARN", "WARN"), ("ERROR", "ERROR"), ("FATAL", "FATAL")]
    {
        for format in ["JSON", "Text"] {
            let more = [("AWS_LAMBDA_LOG_LEVEL", configured), ("AWS_LAMBDA_LOG_FORMAT", format)];
            let line = emitted(&[&ON[..], &more].concat(), Metrics::new().count("Records", 1));
            assert_valid(&line);
            let root: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(root["level"], written, "{configured}");
        }
    }
}

#[test]
fn a_dimension_that_cloudwatch_would_not_take_is_left_out() {
    for value in ["", ":jobs", "a b", "한글", "x\ny", &"x".repeat(256)] {
        let line = emitted(&ON, Metrics::of("queue", value).count("Records", 1));
        assert_valid(&line);
        assert!(line.contains(r#""Dimensions":[["function"]]"#), "{line}");
    }
}

#[test]
fn a_namespace_that_cloudwatch_would_not_take_is_named() {
    for text in ["AWS/Lambda", ":mine", "a\"b", &"x".repeat(256)] {
        assert!(text.parse::<Namespace>().is_err(), "{text}");
    }
}

#[test]
fn of_many_values_a_hundred_stand_for_all() {
    let values: Vec<f64> = (0..10_000_u32).rev().map(f64::from).collect();
    let sampled: Vec<f64> = sample(&values).collect();
    assert_eq!(sampled.len(), 100);
    assert_eq!((sampled[0], sampled[50], sampled[99]), (0.0, 5_050.0, 9_999.0));
}

proptest! {
    #[test]
    fn any_batch_s_metrics_are_valid(
        queue in any::<String>(),
        records in 0_usize..20_000,
        micros in proptest::collection::vec(0_u64..900_000_000, 0..250),
    ) {
        let durations = micros.into_iter().map(Duration::from_micros);
        let metrics = Metrics::of("queue", &queue).batch(records).count("Duplicates", 1).durations("HandlerDuration", durations);
        assert_valid(&emitted(&ON, metrics));
    }
}
