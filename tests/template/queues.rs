//! Queues, and how functions take from them.

use super::{Document, everything, is_dead_letter_queue, logical_id};

#[test]
fn every_queue_of_a_function_has_its_partial_answers_read() {
    let mappings = Document::by_default().events("SQS");
    assert!(mappings.len() >= 3);
    for mapping in mappings {
        // Without it Lambda does not read the answer, and deletes what failed.
        assert_eq!(mapping.properties["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{}", mapping.id);
    }
}

#[test]
fn a_mapping_has_a_maximum_concurrency_or_provisioned_pollers_and_never_both() {
    for (scale, provisioned) in [("fresh-account", 0), ("large", 0), ("provisioned", 2)] {
        let mappings = Document::with(&[("Scale", scale)]).events("SQS");
        let with = |path: [&str; 2]| mappings.iter().filter(|one| !one.properties[path[0]][path[1]].is_null()).count();
        assert_eq!(with(["ProvisionedPollerConfig", "MaximumPollers"]), provisioned, "{scale}");
        assert_eq!(with(["ScalingConfig", "MaximumConcurrency"]), mappings.len() - provisioned, "{scale}");
        let both = mappings.iter().find(|one| {
            !one.properties["ScalingConfig"].is_null() && !one.properties["ProvisionedPollerConfig"].is_null()
        });
        assert!(both.is_none(), "{scale}: {both:?}");
    }
}

#[test]
fn a_fresh_account_s_ten_functions_are_enough_for_a_first_deploy_of_either_stage() {
    let document = Document::with(&[("Stage", "prod")]);
    let mappings = document.events("SQS");
    let at_once: Vec<_> =
        mappings.iter().map(|one| one.properties["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap()).collect();
    // Where five or more share them, each has the least there is, and what finds no room is tried again.
    assert!(at_once.iter().sum::<u64>() <= 9 || at_once.iter().all(|one| *one == 2), "one is left for the others");
}

#[test]
fn every_mapping_counts_its_events_where_metrics_are_filed() {
    let counted = |document: &Document| {
        let of_functions = document.events("SQS").into_iter();
        let mappings: Vec<_> = of_functions.chain([document.resource("StreamMapping")]).collect();
        mappings.iter().map(|one| one.properties["MetricsConfig"]["Metrics"][0] == "EventCount").collect::<Vec<_>>()
    };
    assert!(counted(&everything()).iter().all(|one| *one));
    let off = Document::with(&[("EnableStreams", "true"), ("MetricsNamespace", "off")]);
    assert!(counted(&off).iter().all(|one| !one));
}

#[test]
fn a_dead_letter_queue_takes_what_its_source_takes() {
    for queue in everything().queues() {
        assert_eq!(queue.properties["MaximumMessageSize"], 1_048_576, "{}", queue.id);
    }
}

#[test]
fn the_stream_s_partial_answers_are_read_and_a_bad_record_does_not_hold_its_shard_for_ever() {
    let mapping = everything().resource("StreamMapping").properties;
    assert_eq!(mapping["FunctionResponseTypes"][0], "ReportBatchItemFailures");
    assert_eq!(mapping["BisectBatchOnFunctionError"], true);
    assert!((1..=10).contains(&mapping["MaximumRetryAttempts"].as_u64().unwrap()));
    let stream = everything().resource("Stream").properties;
    let kept_seconds = stream["RetentionPeriodHours"].as_u64().unwrap() * 3600;
    assert!(mapping["MaximumRecordAgeInSeconds"].as_u64().unwrap() < kept_seconds);
}

#[test]
fn a_message_stays_invisible_for_six_times_what_its_function_may_take() {
    let document = Document::by_default();
    let seconds = |id: &str, property: &str| document.resource(id).properties[property].as_u64().unwrap();
    for mapping in document.events("SQS") {
        let queue = logical_id(&mapping.properties["Queue"]);
        assert!(seconds(&queue, "VisibilityTimeout") >= 6 * seconds(&mapping.id, "Timeout"), "{queue}, {}", mapping.id);
    }
    assert!(seconds("PolledQueue", "VisibilityTimeout") >= 6 * seconds("ScheduledPollerFunction", "Timeout"));
}

#[test]
fn a_full_batch_larger_than_ten_has_a_window_and_a_fifo_queue_has_none() {
    let document = Document::by_default();
    for mapping in document.events("SQS") {
        let window = mapping.properties["MaximumBatchingWindowInSeconds"].as_u64();
        let queue = document.resource(&logical_id(&mapping.properties["Queue"]));
        if queue.properties["FifoQueue"] == true {
            assert_eq!(window, None, "{}", queue.id);
        } else {
            assert!(mapping.properties["BatchSize"].as_u64().unwrap() <= 10 || window >= Some(1), "{}", queue.id);
        }
    }
}

#[test]
fn what_is_fifo_says_so_in_its_name_and_has_a_fifo_dead_letter_queue() {
    let document = Document::by_default();
    let (queues, topics) = (document.queues(), document.resources("AWS::SNS::Topic"));
    for resource in queues.iter().chain(&topics) {
        let [name, fifo] = match resource.properties.get("QueueName") {
            Some(name) => [name, &resource.properties["FifoQueue"]],
            None => [&resource.properties["TopicName"], &resource.properties["FifoTopic"]],
        };
        assert_eq!(super::own_name(name).strip_suffix(".fifo").is_some(), *fifo == true, "{}", resource.id);
        if let Some(redrive) = resource.properties.get("RedrivePolicy") {
            let dead_letters = document.resource(&logical_id(&redrive["deadLetterTargetArn"])).properties;
            assert_eq!(dead_letters["FifoQueue"] == true, *fifo == true, "{}", resource.id);
        }
    }
}

#[test]
fn no_message_is_forgotten_over_a_long_weekend() {
    for queue in everything().queues() {
        let kept_days = queue.properties["MessageRetentionPeriod"].as_u64().unwrap() / 86_400;
        assert!(kept_days >= if is_dead_letter_queue(&queue.id) { 14 } else { 4 }, "{}: {kept_days} days", queue.id);
    }
}
