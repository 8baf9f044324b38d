//! Alarms: one for each thing that can go wrong, and a section of the runbook for each kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_yaml_ng::Value;

use super::{Document, Resource, everything, is_dead_letter_queue, logical_id, own_name, text};
use crate::repository::root;

fn alarms(document: &Document) -> Vec<Resource> {
    document.resources("AWS::CloudWatch::Alarm")
}

/// What an alarm watches, and the logical id of what it watches that of.
fn watched(alarm: &Resource) -> (&str, String) {
    (text(&alarm.properties["MetricName"]), of_source(alarm))
}

/// Asserts that an alarm watches this metric of `id`, beyond `threshold`.
fn assert_watched(document: &Document, metric: &str, id: &str, threshold: u64) {
    let all = alarms(document);
    let mut found = all.iter().filter(|alarm| watched(alarm) == (metric, id.to_owned()));
    assert!(
        found.any(|alarm| alarm.properties["Threshold"] == threshold),
        "no alarm on {metric} of {id} over {threshold}"
    );
}

#[test]
fn every_dead_letter_is_an_alarm() {
    let document = everything();
    for queue in document.queues().into_iter().filter(|queue| is_dead_letter_queue(&queue.id)) {
        assert_watched(&document, "ApproximateNumberOfMessagesVisible", &queue.id, 0);
    }
}

#[test]
fn every_queue_that_is_late_or_long_is_an_alarm() {
    let document = everything();
    for queue in document.queues().into_iter().filter(|queue| !is_dead_letter_queue(&queue.id)) {
        // By SQS's clock, which sees what nobody takes.
        assert_watched(&document, "ApproximateAgeOfOldestMessage", &queue.id, 3_600);
        // By the engine's, which sees what is taken again and again.
        assert_watched(&document, "MessageAge", &queue.id, 3_600_000);
        assert_watched(&document, "ApproximateNumberOfMessagesVisible", &queue.id, 1_000);
    }
}

/// The function's own metric that an alarm watches, if it does.
fn own_metric(alarm: &Resource) -> Option<&str> {
    let is_own =
        matches!(&alarm.properties["Namespace"], Value::Tagged(namespace) if namespace.value == "MetricsNamespace");
    is_own.then(|| text(&alarm.properties["MetricName"]))
}

/// The queue or stream of a function's own metric; the function itself where it has neither.
fn of_source(alarm: &Resource) -> String {
    logical_id(&alarm.properties["Dimensions"].as_sequence().unwrap().last().unwrap()["Value"])
}

#[test]
fn every_record_that_cannot_be_read_is_an_alarm() {
    let document = everything();
    let all = alarms(&document);
    let found: BTreeSet<String> =
        all.iter().filter(|alarm| own_metric(alarm) == Some("RecordsMalformed")).map(of_source).collect();
    let mut wanted: BTreeSet<String> = ["MqLoggerFunction", "Stream"].map(ToOwned::to_owned).into();
    wanted.extend(document.events("SNS").into_iter().map(|event| event.id));
    wanted.extend(document.queues().into_iter().map(|queue| queue.id).filter(|id| !is_dead_letter_queue(id)));
    assert_eq!(found, wanted);
}

#[test]
fn no_alarm_is_on_metrics_that_are_not_filed() {
    let off = Document::with(&[("MetricsNamespace", "off"), ("EnableStreams", "true")]);
    for alarm in alarms(&off) {
        assert_eq!(own_metric(&alarm), None, "{}", alarm.id);
    }
}

#[test]
fn every_function_that_fails_or_is_held_back_is_an_alarm() {
    let document = everything();
    for function in document.functions() {
        assert_watched(&document, "Errors", &function.id, 0);
        assert_watched(&document, "Throttles", &function.id, 0);
    }
}

#[test]
fn every_event_that_no_dead_letter_queue_took_is_an_alarm() {
    let document = everything();
    let events = ["SNS", "ScheduleV2"].map(|kind| document.events(kind)).into_iter().flatten();
    let permitted = document.resources("AWS::Lambda::Permission").into_iter();
    let mut asynchronous: BTreeSet<String> = events.map(|event| event.id).collect();
    asynchronous.extend(permitted.map(|permission| logical_id(&permission.properties["FunctionName"])));
    // The poller's dispatches.
    asynchronous.insert("SqsWorkerFunction".to_owned());
    for function in asynchronous.iter().map(String::as_str).chain(["KinesisLoggerFunction"]) {
        assert_watched(&document, "DestinationDeliveryFailures", function, 0);
    }
    for subscription in document.resources("AWS::SNS::Subscription") {
        let topic = logical_id(&subscription.properties["TopicArn"]);
        if topic != "AlarmTopic" {
            assert_watched(&document, "NumberOfNotificationsFailedToRedriveToDlq", &topic, 0);
        }
    }
    for rule in document.resources("AWS::Events::Rule") {
        assert_watched(&document, "InvocationsFailedToBeSentToDlq", &rule.id, 0);
    }
    // Scheduler's metrics are by group, so the schedule has one of its own.
    for schedule in document.events("ScheduleV2") {
        let group = logical_id(&schedule.properties["GroupName"]);
        assert_watched(&document, "InvocationsFailedToBeSentToDeadLetterCount", &group, 0);
    }
}

#[test]
fn a_poller_that_does_not_run_is_an_alarm_unless_it_was_stopped() {
    let running = |state| {
        let document = Document::with(&[("PollerState", state)]);
        alarms(&document).into_iter().find(|alarm| alarm.id == "ScheduledPollerNotRunningAlarm")
    };
    let alarm = running("ENABLED").unwrap().properties;
    assert_eq!(alarm["MetricName"], "Invocations");
    assert_eq!(alarm["ComparisonOperator"], "LessThanThreshold");
    // What never runs gives no data.
    assert_eq!(alarm["TreatMissingData"], "breaching");
    // Nor does a schedule that is not there yet.
    assert!(alarm["EvaluationPeriods"].as_u64().unwrap() * alarm["Period"].as_u64().unwrap() >= 900);
    let written = Document::by_default();
    let depends_on = &written.written("Resources")["ScheduledPollerNotRunningAlarm"]["DependsOn"];
    assert_eq!(*depends_on, "ScheduledPollerFunctionEveryMinute");
    assert!(running("DISABLED").is_none());
}

#[test]
fn a_stream_that_falls_behind_is_an_alarm_long_before_records_are_given_up() {
    let document = everything();
    let alarm = document.resource("StreamBehindAlarm").properties;
    assert_eq!(alarm["MetricName"], "IteratorAge");
    let given_up_seconds = document.resource("StreamMapping").properties["MaximumRecordAgeInSeconds"].as_u64().unwrap();
    assert!(alarm["Threshold"].as_u64().unwrap() / 1000 <= given_up_seconds / 2);
    assert_watched(&document, "DeliveryToS3.DataFreshness", "DeliveryStream", 900);
    assert_watched(&document, "ExecuteProcessing.Success", "DeliveryStream", 1);
}

#[test]
fn every_alarm_is_told_and_its_end_only_where_somebody_waits_for_it() {
    for alarm in alarms(&everything()) {
        assert_eq!(logical_id(&alarm.properties["AlarmActions"][0]), "AlarmTopic", "{}", alarm.id);
        // A new alarm turns to OK once: a first deploy would send a mail for each.
        let passes_by_itself = ["OldestMessageAlarm", "BacklogAlarm", "BehindAlarm", "NotRunningAlarm"];
        let is_told = passes_by_itself.iter().any(|kind| alarm.id.ends_with(kind));
        assert_eq!(!alarm.properties["OKActions"].is_null(), is_told, "{}", alarm.id);
    }
}

#[test]
fn no_alarm_rings_for_want_of_data_but_the_poller_s() {
    for alarm in alarms(&everything()) {
        let missing = if alarm.id == "ScheduledPollerNotRunningAlarm" { "breaching" } else { "notBreaching" };
        assert_eq!(alarm.properties["TreatMissingData"], missing, "{}", alarm.id);
    }
}

#[test]
fn every_alarm_is_of_something_that_is_there() {
    let document = everything();
    let ids: BTreeSet<String> = document.all().map(|(_, resource)| resource.id).collect();
    for alarm in alarms(&document) {
        let (metric, of) = watched(&alarm);
        assert!(ids.contains(&of), "{}: {metric} of {of}", alarm.id);
    }
}

#[test]
fn without_alarms_there_is_no_topic_for_them() {
    let document = Document::with(&[("EnableAlarms", "false"), ("EnableStreams", "true")]);
    let left =
        document.all().find(|(kind, resource)| kind == "AWS::CloudWatch::Alarm" || resource.id.starts_with("Alarm"));
    assert!(left.is_none(), "{left:?}");
}

fn runbook() -> String {
    fs::read_to_string(root().join("docs/runbook.md")).unwrap()
}

#[test]
fn the_runbook_pauses_nothing_by_concurrency_and_shows_lines_of_every_level_that_is_a_failure() {
    let runbook = runbook();
    // AWS sends what then comes to the dead-letter queue at once.
    assert!(!runbook.contains("put-function-concurrency"));
    for level in ["WARN", "ERROR", "FATAL"] {
        assert!(runbook.contains(&format!("($.level = \"{level}\")")), "{level}");
    }
}

#[test]
fn every_source_of_a_function_has_its_pause_in_the_runbook() {
    let runbook = runbook();
    let section = runbook.split("\n## ").find(|section| section.starts_with("How to pause\n")).unwrap();
    let rows: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let events = everything().functions().into_iter().filter_map(|one| one.properties["Events"].as_mapping().cloned());
    let kinds: BTreeSet<String> =
        events.flat_map(|events| events.into_values().map(|event| text(&event["Type"]).to_owned())).collect();
    assert_eq!(kinds, ["SNS", "SQS", "ScheduleV2"].map(ToOwned::to_owned).into(), "another kind of source wants a row");
    for source in ["a queue with a mapping", "PolledQueue", "the stream", "a broker", "Firehose", "a rule"] {
        assert!(rows.contains(&source), "{source}: {rows:?}");
    }
    for source in ["a topic, to a function", "S3, to a function"] {
        assert!(rows.contains(&source), "{source}: {rows:?}");
    }
}

#[test]
fn every_kind_of_alarm_is_a_heading_of_the_runbook_and_every_row_is_an_alarm_of_it() {
    let runbook = runbook();
    let headings: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alarm in alarms(&everything()) {
        let name = own_name(&alarm.properties["AlarmName"]);
        let description = text(&alarm.properties["AlarmDescription"]);
        let kind =
            description.rsplit_once(". docs/runbook.md#").unwrap_or_else(|| panic!("{description}")).1.to_owned();
        assert!(headings.contains(kind.as_str()), "docs/runbook.md has no section ### {kind}");
        assert!(name.ends_with(&format!("-{kind}")), "{name} does not end in its heading {kind}");
        names.entry(kind).or_default().insert(name);
    }
    let alarms = runbook.split("\n## ").find(|section| section.starts_with("The alarms\n")).unwrap();
    for section in alarms.split("\n### ").skip(1) {
        let kind = section.lines().next().unwrap();
        let of_kind = names.get(kind).unwrap_or_else(|| panic!("docs/runbook.md explains {kind}, which is no alarm"));
        for row in section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()) {
            assert!(of_kind.contains(row), "docs/runbook.md#{kind} has a row for {row}, which is no alarm");
        }
    }
}
