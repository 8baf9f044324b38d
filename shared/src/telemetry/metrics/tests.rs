use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    delivery::{Fate, Outcome, RecordError},
    telemetry::tests::{NOW_MS, logged},
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

/// The names of all lines, and the number of values of one of them in each.
fn split(lines: &str, name: &str) -> (Vec<String>, Vec<usize>) {
    let (mut all, mut counts) = (Vec::new(), Vec::new());
    for line in lines.lines() {
        assert_valid(line);
        let root: Value = serde_json::from_str(line).unwrap();
        let metrics = root["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
        all.extend(metrics.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned()));
        counts.extend(root[name].as_array().map(Vec::len));
    }
    (all, counts)
}

#[test]
fn more_than_a_hundred_values_go_into_further_lines_and_none_is_lost() {
    let seconds = (0..1_005).map(Duration::from_secs);
    let lines =
        emitted(&ON, Metrics::of("queue", "jobs").count("Records", 1_005).durations("HandlerDuration", seconds));
    let (names, counts) = split(&lines, "HandlerDuration");
    assert_eq!(counts, [[100; 10].as_slice(), &[5]].concat());
    assert_eq!(names.iter().filter(|name| *name == "Records").count(), 1, "a count is counted once");
    let sum = |line: &str| {
        let root: Value = serde_json::from_str(line).unwrap();
        root["HandlerDuration"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).sum::<f64>()
    };
    assert!((lines.lines().map(sum).sum::<f64>() - 1_000.0 * (1_004.0 * 1_005.0 / 2.0)).abs() < 0.5);
}

#[test]
fn more_than_a_hundred_names_go_into_further_lines_and_none_is_lost() {
    let names: Vec<&'static str> = (0..250).map(|number| &*format!("Metric{number}").leak()).collect();
    let metrics = names.iter().fold(Metrics::new(), |metrics, name| metrics.count(name, 3));
    let lines = emitted(&ON, metrics);
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(split(&lines, "").0, names);
}

#[test]
fn every_unit_is_one_of_cloudwatch_s_and_stands_in_the_line() {
    for unit in [
        Unit::Count,
        Unit::Percent,
        Unit::Microseconds,
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Bytes,
        Unit::Kilobytes,
        Unit::Megabytes,
        Unit::Gigabytes,
        Unit::CountPerSecond,
        Unit::BytesPerSecond,
        Unit::None,
    ] {
        let line = emitted(&ON, Metrics::new().values("Size", unit, [1.5, 2.0]));
        assert_valid(&line);
        assert!(line.contains(&format!(r#"{{"Name":"Size","Unit":"{}"}}"#, unit.name())), "{line}");
        assert!(line.contains(r#""Size":[1.5,2]"#), "{line}");
    }
}

#[test]
fn what_cloudwatch_would_not_take_or_the_line_has_already_is_left_out() {
    let metrics = Metrics::of("queue", "jobs")
        .count("function", 1)
        .count("queue", 1)
        .values("message", Unit::None, [1.0])
        .values("Load", Unit::None, [f64::NAN, f64::INFINITY, 1e200])
        .values("A \"name\"", Unit::None, [f64::NEG_INFINITY, -2.5]);
    let line = emitted(&ON, metrics);
    assert_valid(&line);
    assert!(line.ends_with(",\"queue\":\"jobs\",\"A \\\"name\\\"\":[-2.5]}\n"), "{line}");
    assert_eq!(emitted(&ON, Metrics::new().values("Load", Unit::None, [f64::NAN])), "");
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
        emitted(&ON, metrics).lines().for_each(assert_valid);
    }
}
