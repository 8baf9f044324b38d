//! What a first deploy needs, and what it leaves behind for tools.

use std::{collections::BTreeSet, fs, path::Path};

use serde_yaml_ng::Value;

use super::{Document, everything};

/// What somebody may rely on outside this repository.
const OUTPUTS: [&str; 14] = [
    "DashboardName",
    "DeliveryStreamName",
    "JobDeadLetterQueueUrl",
    "JobQueueUrl",
    "NotificationTopicArn",
    "OrderedDeadLetterQueueUrl",
    "OrderedQueueUrl",
    "OrderedTopicArn",
    "PolledDeadLetterQueueUrl",
    "PolledQueueUrl",
    "StreamName",
    "ThumbnailBucketName",
    "UploadBucketName",
    "UploadTopicArn",
];

#[test]
fn the_outputs_are_those_of_the_contract() {
    let document = everything();
    for name in OUTPUTS {
        assert!(!document.outputs()[name].is_null(), "{name}");
    }
    for function in document.functions() {
        assert!(!document.outputs()[format!("{}Name", function.id)].is_null(), "{}", function.id);
    }
}

#[test]
fn outputs_of_what_is_off_are_off() {
    let outputs = Document::with(&[("EnableAlarms", "false")]).outputs().clone();
    for name in ["StreamName", "DeliveryStreamName", "StreamDeadLetterQueueUrl", "AlarmTopicArn"] {
        assert!(outputs.get(name).is_none(), "{name}");
    }
}

#[test]
fn nothing_need_be_typed_for_a_first_deploy() {
    let document = Document::by_default();
    for (name, parameter) in document.written("Parameters").as_mapping().unwrap() {
        assert!(!parameter["Default"].is_null(), "{name:?} has no default");
        assert!(!parameter["Description"].is_null(), "{name:?} has no description");
    }
}

#[test]
fn what_costs_money_by_the_hour_is_off_unless_asked_for() {
    let paid =
        ["AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream", "AWS::KMS::Key", "AWS::AmazonMQ::Broker"];
    for (kind, resource) in Document::by_default().all() {
        assert!(!paid.contains(&kind.as_str()), "{}", resource.id);
    }
}

#[test]
fn every_parameter_is_in_one_group_of_the_console() {
    let document = Document::by_default();
    let groups = &document.written("Metadata")["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let grouped: Vec<&str> = groups
        .as_sequence()
        .unwrap()
        .iter()
        .flat_map(|group| group["Parameters"].as_sequence().unwrap())
        .filter_map(Value::as_str)
        .collect();
    let parameters = document.written("Parameters").as_mapping().unwrap();
    let names: BTreeSet<&str> = parameters.keys().filter_map(Value::as_str).collect();
    assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), names);
    assert_eq!(grouped.len(), names.len(), "a parameter is in two groups");
}

#[test]
fn the_stages_set_what_the_template_has() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samconfig.toml");
    let stages = fs::read_to_string(path).unwrap();
    let overrides: Vec<(&str, &str)> = stages
        .lines()
        .filter_map(|line| line.strip_prefix("parameter_overrides = "))
        .flat_map(|set| set.trim_matches('"').split_whitespace())
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    assert!(overrides.contains(&("Stage", "dev")) && overrides.contains(&("Stage", "prod")));
    let document = Document::by_default();
    for (name, value) in overrides {
        let parameter = &document.written("Parameters")[name];
        assert!(!parameter.is_null(), "{name}");
        if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_sequence) {
            let is_allowed = allowed
                .iter()
                .any(|one| one.as_str() == Some(value) || value.parse().is_ok_and(|number: u64| *one == number));
            assert!(is_allowed, "{name}={value}");
        }
    }
}

#[test]
fn the_longest_bucket_name_is_one() {
    for bucket in everything().resources("AWS::S3::Bucket") {
        let name = super::text(&bucket.properties["BucketName"]);
        let longest = name
            .replace("${BucketPrefix}", &"b".repeat(16))
            .replace("${Stage}", "prod")
            .replace("${AWS::AccountId}", "123456789012")
            .replace("${AWS::Region}", "ap-southeast-2");
        assert!(longest.len() <= 63, "{longest}: {}", longest.len());
    }
}

#[test]
fn accounts_are_named_by_twelve_digits() {
    let document = Document::by_default();
    assert_eq!(document.written("Parameters")["ProducerAccountIds"]["AllowedPattern"], "^([0-9]{12})?$");
}

#[test]
fn the_alarms_of_a_first_deploy_are_as_many_as_the_cost_page_says() {
    let alarms = Document::by_default().resources("AWS::CloudWatch::Alarm").len();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cost.md")).unwrap();
    assert!(page.contains(&format!("| {alarms} alarms at 0.10 |")), "docs/cost.md counts other than {alarms} alarms");
}
