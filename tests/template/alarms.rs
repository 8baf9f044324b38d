//! Alarms: one for each thing that can go wrong, and a page of the runbook for each alarm.

use std::{collections::BTreeSet, fs, path::Path};

use serde_yaml_ng::Value;

use super::{Document, Resource, everything, is_dead_letter_queue, logical_id, own_name, text};

fn alarms(document: &Document) -> Vec<Resource> {
    document.resources("AWS::CloudWatch::Alarm")
}

/// What an alarm watches, and the logical id of what it watches that of.
fn watched(alarm: &Resource) -> (&str, String) {
    (text(&alarm.properties["MetricName"]), logical_id(&alarm.properties["Dimensions"][0]["Value"]))
}

/// Asserts that an alarm watches this metric of `id`, beyond `threshold` (nothing: a parameter).
fn assert_watched(document: &Document, metric: &str, id: &str, threshold: Option<u64>) {
    let all = alarms(document);
    let mut found = all.iter().filter(|alarm| watched(alarm) == (metric, id.to_owned()));
    assert!(
        found.any(|alarm| alarm.properties["Threshold"].as_u64() == threshold),
        "no alarm on {metric} of {id} over {threshold:?}"
    );
}

#[test]
fn every_dead_letter_is_an_alarm() {
    let document = everything();
    for queue in document.queues().into_iter().filter(|queue| is_dead_letter_queue(&queue.id)) {
        assert_watched(&document, "ApproximateNumberOfMessagesVisible", &queue.id, Some(0));
    }
}

#[test]
fn every_queue_that_is_late_or_long_is_an_alarm() {
    let document = everything();
    for queue in document.queues().into_iter().filter(|queue| !is_dead_letter_queue(&queue.id)) {
        // By SQS's clock, which sees what nobody takes.
        assert_watched(&document, "ApproximateAgeOfOldestMessage", &queue.id, None);
        // By the engine's, which sees what is taken again and again.
        assert!(ages(&document, &queue.id).contains(&None), "{}", queue.id);
        assert_watched(&document, "ApproximateNumberOfMessagesVisible", &queue.id, None);
    }
}

/// The thresholds of the alarms on the engine's own metric of a queue's age (nothing: a parameter).
fn ages(document: &Document, queue: &str) -> Vec<Option<u64>> {
    let of_queue = |alarm: &Resource| own_metric(alarm) == Some("MessageAge") && of_source(alarm) == queue;
    alarms(document).iter().filter(|one| of_queue(one)).map(|one| one.properties["Threshold"].as_u64()).collect()
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
    let mut wanted: BTreeSet<String> =
        ["SnsLoggerFunction", "S3ObjectLoggerFunction", "MqLoggerFunction", "Stream"].map(ToOwned::to_owned).into();
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
        assert_watched(&document, "Errors", &function.id, Some(0));
        assert_watched(&document, "Throttles", &function.id, Some(0));
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
        assert_watched(&document, "DestinationDeliveryFailures", function, Some(0));
    }
    for subscription in document.resources("AWS::SNS::Subscription") {
        let topic = logical_id(&subscription.properties["TopicArn"]);
        if topic != "AlarmTopic" {
            assert_watched(&document, "NumberOfNotificationsFailedToRedriveToDlq", &topic, Some(0));
        }
    }
    for rule in document.resources("AWS::Events::Rule") {
        assert_watched(&document, "InvocationsFailedToBeSentToDlq", &rule.id, Some(0));
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
    assert!(running("DISABLED").is_none());
}

#[test]
fn a_stream_that_falls_behind_is_an_alarm_long_before_records_are_given_up() {
    let document = everything();
    let alarm = document.resource("StreamBehindAlarm").properties;
    assert_eq!(alarm["MetricName"], "IteratorAge");
    let given_up_seconds = document.resource("StreamMapping").properties["MaximumRecordAgeInSeconds"].as_u64().unwrap();
    assert!(alarm["Threshold"].as_u64().unwrap() / 1000 <= given_up_seconds / 2);
    assert_watched(&document, "DeliveryToS3.DataFreshness", "DeliveryStream", Some(900));
    assert_watched(&document, "ExecuteProcessing.Success", "DeliveryStream", Some(1));
}

#[test]
fn every_alarm_is_told_with_its_end_and_none_rings_for_want_of_data_but_the_poller_s() {
    for alarm in alarms(&everything()) {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(logical_id(&alarm.properties[actions][0]), "AlarmTopic", "{}: {actions}", alarm.id);
        }
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

#[test]
fn every_alarm_s_name_is_a_heading_of_the_runbook() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbook.md");
    let runbook = fs::read_to_string(path).unwrap();
    let headings: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let mut names = BTreeSet::new();
    for alarm in alarms(&everything()) {
        let name = own_name(&alarm.properties["AlarmName"]);
        let description = text(&alarm.properties["AlarmDescription"]);
        assert!(description.ends_with(&format!(". docs/runbook.md#{name}")), "{description}");
        assert!(headings.contains(name.as_str()), "docs/runbook.md has no section ### {name}");
        names.insert(name);
    }
    let gone: Vec<_> = headings.iter().filter(|heading| !names.contains(**heading)).collect();
    assert!(gone.is_empty(), "docs/runbook.md explains alarms that are none: {gone:?}");
}
