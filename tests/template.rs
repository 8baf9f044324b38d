//! The template keeps what the code relies on, and what no local run can show.

use std::{fs, path::Path};

use serde_yaml_ng::Value;

/// The template, with its short tags (`!Ref`, `!GetAtt`) left on.
fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The resources of one type: logical id and properties.
fn resources(template: &Value, kind: &str) -> Vec<(String, Value)> {
    let resources = template["Resources"].as_mapping().unwrap();
    let of_kind = resources.iter().filter(|(_, resource)| resource["Type"] == *kind);
    of_kind.map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource["Properties"].clone())).collect()
}

/// What a `!Ref` or `!GetAtt` names: the logical id.
fn target(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("no reference: {value:?}") };
    tagged.value.as_str().unwrap().split('.').next().unwrap().to_owned()
}

fn functions(template: &Value) -> Vec<(String, Value)> {
    resources(template, "AWS::Serverless::Function")
}

fn queues(template: &Value) -> Vec<(String, Value)> {
    resources(template, "AWS::SQS::Queue")
}

/// Each function's events of one type.
fn events(template: &Value, kind: &str) -> Vec<(String, Value)> {
    let of_function = |(function, properties): (String, Value)| {
        let events = properties["Events"].as_mapping().cloned().unwrap_or_default();
        let of_kind = events.into_iter().filter(|(_, event)| event["Type"] == *kind);
        of_kind.map(|(_, event)| (function.clone(), event["Properties"].clone())).collect::<Vec<_>>()
    };
    functions(template).into_iter().flat_map(of_function).collect()
}

fn is_dead_letter_queue(name: &str) -> bool {
    name.ends_with("DeadLetterQueue")
}

#[test]
fn every_queue_of_a_function_has_its_partial_answers_read() {
    let template = template();
    let mappings = events(&template, "SQS");
    assert!(mappings.len() >= 2);
    for (function, mapping) in mappings {
        // Without it Lambda does not read the answer, and deletes what failed.
        assert_eq!(mapping["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{function}");
        assert!(!mapping["ScalingConfig"]["MaximumConcurrency"].is_null(), "{function}");
    }
}

#[test]
fn a_message_stays_invisible_for_six_times_what_its_function_may_take() {
    let template = template();
    let queues = queues(&template);
    for (function, mapping) in events(&template, "SQS") {
        let timeout = functions(&template).into_iter().find(|(id, _)| *id == function).unwrap().1["Timeout"].as_u64();
        let queue = target(&mapping["Queue"]);
        let visibility = queues.iter().find(|(id, _)| *id == queue).unwrap().1["VisibilityTimeout"].as_u64();
        assert!(visibility.unwrap() >= 6 * timeout.unwrap(), "{queue}: {visibility:?}, {function}: {timeout:?}");
    }
}

#[test]
fn every_queue_is_encrypted_and_has_a_dead_letter_queue_and_the_worker_knows_how_often_it_delivers() {
    let template = template();
    let worker = functions(&template).into_iter().find(|(id, _)| id == "SqsWorkerFunction").unwrap().1;
    let max_receives = &worker["Environment"]["Variables"]["MAX_RECEIVES"];
    for (name, queue) in queues(&template) {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
        if is_dead_letter_queue(&name) {
            assert_eq!(queue["MessageRetentionPeriod"], 1_209_600, "{name}");
            continue;
        }
        let redrive = &queue["RedrivePolicy"];
        assert!(is_dead_letter_queue(&target(&redrive["deadLetterTargetArn"])), "{name}");
        let receives = redrive["maxReceiveCount"].as_u64().unwrap();
        assert!(receives >= 5, "{name}");
        // Larger, and the worker would never give up a message with its reason: docs/adr/0004.
        assert_eq!(max_receives.as_str(), Some(receives.to_string().as_str()), "{name}");
    }
}

#[test]
fn every_subscription_schedule_and_asynchronous_invocation_has_a_dead_letter_queue() {
    let template = template();
    let subscriptions = resources(&template, "AWS::SNS::Subscription").into_iter().chain(events(&template, "SNS"));
    for (name, subscription) in subscriptions {
        assert!(is_dead_letter_queue(&target(&subscription["RedrivePolicy"]["deadLetterTargetArn"])), "{name}");
    }
    for (name, schedule) in events(&template, "ScheduleV2") {
        assert!(is_dead_letter_queue(&target(&schedule["DeadLetterConfig"]["Arn"])), "{name}");
        // The default tries for a day what the next minute does anyway.
        assert!(schedule["RetryPolicy"]["MaximumRetryAttempts"].as_u64().unwrap() < 10, "{name}");
    }
    for (name, rule) in resources(&template, "AWS::Events::Rule") {
        assert!(is_dead_letter_queue(&target(&rule["Targets"][0]["DeadLetterConfig"]["Arn"])), "{name}");
    }
    for (name, function) in functions(&template) {
        let on_failure = &function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        assert!(is_dead_letter_queue(&target(on_failure)), "{name}");
    }
}

#[test]
fn two_runs_of_the_poller_cannot_overlap() {
    let template = template();
    let poller = functions(&template).into_iter().find(|(id, _)| id == "ScheduledPollerFunction").unwrap().1;
    assert!(poller["Timeout"].as_u64().unwrap() < 60);
    assert_eq!(poller["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
    assert_eq!(events(&template, "ScheduleV2")[0].1["ScheduleExpression"], "rate(1 minute)");
}

#[test]
fn the_table_is_what_the_idempotency_store_expects() {
    let template = template();
    let (_, table) = resources(&template, "AWS::DynamoDB::Table").remove(0);
    assert_eq!(table["KeySchema"][0]["AttributeName"], "idempotency_key");
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "expires_at");
    assert_eq!(table["TimeToLiveSpecification"]["Enabled"], true);
}

#[test]
fn the_bucket_is_closed_to_the_public() {
    let template = template();
    for (name, bucket) in resources(&template, "AWS::S3::Bucket") {
        let block = &bucket["PublicAccessBlockConfiguration"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(block[setting], true, "{name}: {setting}");
        }
    }
}

#[test]
fn every_function_has_a_role_and_a_log_group_of_its_own() {
    let template = template();
    let mut own = std::collections::HashSet::new();
    for (name, function) in functions(&template) {
        assert!(own.insert(target(&function["Role"])), "{name} shares its role");
        assert!(own.insert(target(&function["LoggingConfig"]["LogGroup"])), "{name} shares its log group");
    }
}

#[test]
fn the_outputs_are_those_of_the_contract() {
    let template = template();
    for name in [
        "UploadBucketName",
        "UploadTopicArn",
        "NotificationTopicArn",
        "JobQueueUrl",
        "JobDeadLetterQueueUrl",
        "PolledQueueUrl",
        "PolledDeadLetterQueueUrl",
        "OrderedTopicArn",
        "OrderedQueueUrl",
        "OrderedDeadLetterQueueUrl",
    ] {
        assert!(!template["Outputs"][name].is_null(), "{name}");
    }
    for (function, _) in functions(&template) {
        assert!(!template["Outputs"][format!("{function}Name")].is_null(), "{function}");
    }
}
