//! Nothing is dropped: whatever cannot be handed on has a dead-letter queue that lets it in.

use serde_yaml_ng::Value;

use super::{Document, everything, is_dead_letter_queue, logical_id, own_name, text};

/// The logical id of the dead-letter queue behind `target`.
fn dead_letter_queue(target: &Value, of: &str) -> String {
    assert!(!target.is_null(), "{of} has no dead-letter queue");
    let id = logical_id(target);
    assert!(is_dead_letter_queue(&id), "{of}: {id}");
    id
}

/// Whom the statements of this queue's policy let in, by the logical id of the source.
fn let_in(document: &Document, queue: &str) -> Vec<String> {
    let policy = document.resource(&format!("{queue}Policy")).properties;
    let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap().clone();
    let sources = statements.iter().filter(|statement| statement["Effect"] == "Allow");
    sources
        .filter_map(|statement| statement["Condition"].get("ArnEquals")?.get("aws:SourceArn"))
        .flat_map(|source| source.as_sequence().cloned().unwrap_or_else(|| vec![source.clone()]))
        .map(|source| logical_id(&source))
        .collect()
}

#[test]
fn every_queue_has_a_dead_letter_queue_that_takes_from_no_other() {
    let document = everything();
    for queue in document.queues().into_iter().filter(|queue| !is_dead_letter_queue(&queue.id)) {
        let target = &queue.properties["RedrivePolicy"]["deadLetterTargetArn"];
        let dead_letters = document.resource(&dead_letter_queue(target, &queue.id)).properties;
        let allowed = &dead_letters["RedriveAllowPolicy"];
        assert_eq!(allowed["redrivePermission"], "byQueue", "{}", queue.id);
        let source = text(&allowed["sourceQueueArns"][0]).to_owned();
        let name = own_name(&queue.properties["QueueName"]);
        assert!(source.ends_with(&format!(":${{AWS::StackName}}-{name}")), "{}: {source}", queue.id);
    }
}

#[test]
fn every_subscription_has_a_dead_letter_queue_that_lets_its_topic_in() {
    let document = everything();
    let subscriptions =
        document.resources("AWS::SNS::Subscription").into_iter().map(|one| (one.properties["TopicArn"].clone(), one));
    let of_functions = document.events("SNS").into_iter().map(|one| (one.properties["Topic"].clone(), one));
    for (topic, subscription) in subscriptions.chain(of_functions) {
        let target = &subscription.properties["RedrivePolicy"]["deadLetterTargetArn"];
        let queue = dead_letter_queue(target, &subscription.id);
        assert!(let_in(&document, &queue).contains(&logical_id(&topic)), "{} of {queue}", subscription.id);
    }
}

#[test]
fn every_subscribed_queue_lets_its_topic_in() {
    let document = everything();
    let subscriptions = document.resources("AWS::SNS::Subscription");
    let of_queues: Vec<_> = subscriptions.iter().filter(|one| one.properties["Protocol"] == "sqs").collect();
    assert!(of_queues.len() >= 4);
    for subscription in of_queues {
        let queue = logical_id(&subscription.properties["Endpoint"]);
        let topic = logical_id(&subscription.properties["TopicArn"]);
        assert!(let_in(&document, &queue).contains(&topic), "{}", subscription.id);
    }
}

#[test]
fn every_rule_has_a_dead_letter_queue_that_lets_it_in() {
    let document = everything();
    for rule in document.resources("AWS::Events::Rule") {
        for target in rule.properties["Targets"].as_sequence().unwrap() {
            let queue = dead_letter_queue(&target["DeadLetterConfig"]["Arn"], &rule.id);
            assert!(let_in(&document, &queue).contains(&rule.id), "{}", rule.id);
            assert!(target["RetryPolicy"]["MaximumEventAgeInSeconds"].as_u64().unwrap() <= 3600, "{}", rule.id);
        }
    }
}

#[test]
fn every_schedule_has_a_dead_letter_queue_and_gives_up_soon() {
    for schedule in everything().events("ScheduleV2") {
        dead_letter_queue(&schedule.properties["DeadLetterConfig"]["Arn"], &schedule.id);
        // The default tries for a day what the next minute does anyway.
        assert!(schedule.properties["RetryPolicy"]["MaximumRetryAttempts"].as_u64().unwrap() < 10, "{}", schedule.id);
    }
}

#[test]
fn every_asynchronous_invocation_and_every_stream_has_a_dead_letter_queue() {
    let document = everything();
    for function in document.functions() {
        let destination = &function.properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
        assert_eq!(destination["Type"], "SQS", "{}", function.id);
        dead_letter_queue(&destination["Destination"], &function.id);
    }
    let stream = document.resource("StreamMapping");
    dead_letter_queue(&stream.properties["DestinationConfig"]["OnFailure"]["Destination"], &stream.id);
}

#[test]
fn what_firehose_cannot_transform_is_kept_under_a_prefix_of_its_own() {
    let destination = everything().resource("DeliveryStream").properties["ExtendedS3DestinationConfiguration"].clone();
    let [records, errors] = ["Prefix", "ErrorOutputPrefix"].map(|name| destination[name].as_str().unwrap().to_owned());
    assert!(errors.starts_with("errors/!{firehose:error-output-type}/"), "{errors}");
    assert!(records.starts_with("records/"), "{records}");
}
