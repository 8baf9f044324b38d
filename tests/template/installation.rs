//! What a first deploy needs, and what it leaves behind for tools.

use std::{collections::BTreeSet, fs};

use serde_yaml_ng::Value;

use super::{Document, everything};
use crate::repository::root;

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
    assert!(document.written("Parameters").as_mapping().unwrap().len() <= 22, "an update keeps every one as it was");
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
    let path = root().join("samconfig.toml");
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
        // Only where a cycle forces a name: a bucket stays behind with what is in it, and its name is then taken.
        assert_eq!(bucket.properties.get("BucketName").is_some(), bucket.id == "UploadBucket", "{}", bucket.id);
    }
    let bucket = everything().resource("UploadBucket").properties;
    let longest = super::text(&bucket["BucketName"])
        .replace("${BucketPrefix}", &"b".repeat(16))
        .replace("${Stage}", "prod")
        .replace("${AWS::AccountId}", "123456789012")
        .replace("${AWS::Region}", "ap-southeast-2");
    assert!(longest.len() <= 63, "{longest}: {}", longest.len());
}

#[test]
fn the_longest_stack_name_is_the_one_of_the_documents() {
    let document = everything();
    let longest = document.functions().iter().map(|one| super::own_name(&one.properties["FunctionName"]).len()).max();
    // A function's name has 64 characters at the most.
    let page = std::fs::read_to_string(root().join("docs/quotas.md")).unwrap();
    assert!(page.contains(&format!("{} characters", 64 - 1 - longest.unwrap())), "docs/quotas.md");
}

#[test]
fn no_name_is_taken_twice_in_an_account_with_two_regions() {
    // A dashboard's name is the only one here that is an account's and not a region's.
    for dashboard in everything().resources("AWS::CloudWatch::Dashboard") {
        assert!(super::text(&dashboard.properties["DashboardName"]).contains("${AWS::Region}"), "{}", dashboard.id);
    }
}

#[test]
fn metrics_are_not_filed_where_aws_files_its_own() {
    let document = Document::by_default();
    let pattern = &document.written("Parameters")["MetricsNamespace"]["AllowedPattern"];
    assert!(pattern.as_str().unwrap().starts_with("^(?!AWS/)"), "{pattern:?}");
}

#[test]
fn what_cannot_be_taken_back_is_said_at_the_parameter() {
    let document = Document::by_default();
    for (parameter, said) in [
        ("BucketPrefix", "before the first deploy"),
        ("BrokerQueueName", "deploy once without BrokerArn"),
        ("DeliverySource", "makes another Firehose stream"),
        ("EnableStreams", "what the stream holds is gone"),
        ("Encryption", "Never from key to managed at once"),
        ("Architecture", "[default.global.parameters]"),
        ("AlertPhoneNumber", "A new account must verify the number first"),
    ] {
        let description = document.written("Parameters")[parameter]["Description"].as_str().unwrap();
        assert!(description.contains(said), "{parameter}: {description}");
    }
}

#[test]
fn nobody_is_subscribed_by_the_template() {
    // A telephone on the uploads gets five SMS of JSON an upload; a reader must confirm an e-mail anyway.
    for subscription in everything().resources("AWS::SNS::Subscription") {
        assert_eq!(subscription.properties["Protocol"], "sqs", "{}", subscription.id);
    }
}

#[test]
fn the_least_sam_cli_of_the_documents_is_the_one_that_is_pinned() {
    let root = root();
    let pins = fs::read_to_string(root.join("local/requirements-sam.txt")).unwrap();
    let version = pins.lines().find_map(|line| line.strip_prefix("aws-sam-cli==")).unwrap();
    for page in ["docs/deploying.md", "samconfig.toml"] {
        assert!(fs::read_to_string(root.join(page)).unwrap().contains(version), "{page} names another than {version}");
    }
}

#[test]
fn make_builds_and_deploys_one_stage_and_asks_nothing_of_a_machine() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let recipe = makefile.split("\ndeploy: ").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in ["sam build", "sam deploy"] {
        let line = recipe.lines().find(|line| line.contains(command)).unwrap();
        assert!(line.contains("$(if $(filter-out dev,$(STAGE)),--config-env $(STAGE))"), "{line}");
    }
    assert!(recipe.contains("$(if $(CI),--no-confirm-changeset)"), "{recipe}");
}

/// The settings of `samconfig.toml`'s section of this name.
fn section(name: &str) -> Vec<(String, String)> {
    let path = root().join("samconfig.toml");
    let file = fs::read_to_string(path).unwrap();
    let of_section = file.split("\n[").find(|section| section.starts_with(&format!("{name}]"))).unwrap_or_default();
    let settings = of_section.lines().filter_map(|line| line.split_once(" = "));
    settings.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn build_and_deploy_read_the_same_parameters_and_loops_are_unrolled_by_both() {
    for stage in ["default", "prod"] {
        let shared = section(&format!("{stage}.global.parameters"));
        let find = |name: &str| shared.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
        assert_eq!(find("language_extensions"), Some("true"), "{stage}");
        // What is built for one processor and deployed for another never starts.
        assert!(find("parameter_overrides").is_some(), "{stage}");
        let of_deploy = section(&format!("{stage}.deploy.parameters"));
        assert!(!of_deploy.iter().any(|(name, _)| name == "parameter_overrides"), "{stage}");
    }
}

#[test]
fn a_first_deploy_asks_nothing() {
    // SAM's last question is answered by Enter with no.
    let of_deploy = section("default.deploy.parameters");
    assert!(of_deploy.contains(&("confirm_changeset".to_owned(), "false".to_owned())), "{of_deploy:?}");
}

#[test]
fn accounts_are_named_by_twelve_digits() {
    let document = Document::by_default();
    assert_eq!(document.written("Parameters")["ProducerAccountIds"]["AllowedPattern"], "^([0-9]{12})?$");
}

#[test]
fn the_alarms_of_a_first_deploy_are_as_many_as_the_cost_page_says() {
    let alarms = Document::by_default().resources("AWS::CloudWatch::Alarm").len();
    let page = std::fs::read_to_string(root().join("docs/cost.md")).unwrap();
    let again = "local/checks/template_updates.py --write, with the SAM CLI's Python, writes it anew";
    assert!(page.contains(&format!("| {alarms} alarms at 0.10 |")), "docs/cost.md: there are {alarms} alarms; {again}");
}
