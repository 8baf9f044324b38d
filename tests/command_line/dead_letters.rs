//! `sluice dead`, and `sluice redrive` of what others than queues leave.
//!
//! The local AWS leaves letters of queues, and of asynchronous invocations; what subscriptions, rules, schedules and mappings
//! leave is put there in AWS's own shape. The way home is real in all of them. Of calls that it lacks, a replayed client
//! stands in: `cli/src/command/redrive/home/tests.rs`.

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::{Value, json};

use super::sluice::{Sluice, eventually, new_name};
use crate::stack::{Log, Stack};

const ACCOUNT: &str = "000000000000";

/// The id of a message that is put into a queue.
fn put(sluice: &Sluice, queue: &str, body: &Value, attributes: &[(&str, &str)]) -> String {
    let attributes: Vec<String> = attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = body.to_string();
    let mut arguments = vec!["send", queue, "--body", &body];
    arguments.extend(attributes.iter().flat_map(|attribute| ["--attribute", attribute]));
    let printed = sluice.done(&arguments);
    printed.split_whitespace().next().unwrap().to_owned()
}

fn function_arn(stack: &Stack, output: &str) -> String {
    format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{}", stack.output(output))
}

/// What Lambda leaves at a destination.
fn invocation(function: &str, payload: &Value) -> Value {
    json!({
        "version": "1.0",
        "requestContext": {"functionArn": format!("{function}:$LATEST"), "condition": "RetriesExhausted",
            "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responsePayload": {"errorType": "Runtime.ExitError", "errorMessage": "it was broken"},
    })
}

fn notification(message: &str) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message, "TopicArn": "t", "MessageId": "m"}}]})
}

/// Brings one letter home.
fn home(sluice: &Sluice, queue: &str, id: &str, options: &[&str]) {
    let printed = sluice.done(&[&["redrive", queue, "--id", id], options].concat());
    assert!(printed.starts_with("1 messages moved: 1 to function "), "{printed}");
    let again = sluice.done(&["redrive", queue, "--id", id]);
    assert!(again.starts_with("0 messages moved"), "it is gone: {again}");
}

#[tokio::test]
async fn what_lambda_left_is_invoked_again_and_gone_only_when_that_succeeds() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let queue = stack.output("InvocationDeadLetterQueueUrl");
    let function = function_arn(&stack, "SnsLoggerFunctionName");
    let mark = new_name("invocation");
    // Made by breaking what makes it: this is no notification, now or later.
    let event = Blob::new(json!({ "mark": mark }).to_string());
    let invoke = stack.lambda.invoke().function_name(&function).invocation_type(InvocationType::Event);
    invoke.payload(aws_sdk_lambda::primitives::Blob::new(event.into_inner())).send().await.unwrap();
    let would = ["redrive", queue, "--match", &mark, "--kind", "invocation", "--dry-run"];
    let seen = eventually(|| Some(sluice.done(&would)).filter(|seen| seen.contains("1 messages would be moved")));
    assert!(seen.contains("invocation    to function"), "said by kind and reason: {seen}");
    let refused = sluice.run(&["redrive", queue, "--match", &mark]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("the function failed"), "{refused:?}");
    let taken = sluice.done(&["receive", queue, "--delete", "--match", &mark]);
    assert!(taken.contains(&mark), "what failed again is still there: {taken}");

    let mut log = Log::from_now(&stack, "SnsLoggerFunctionName");
    let id = put(&sluice, queue, &invocation(&function, &notification(&mark)), &[]);
    home(&sluice, queue, &id, &[]);
    log.line("notification received", |line| line.text("body") == mark).await;

    // A dispatch's messages stayed in their queue.
    let dispatch = json!({"queueUrl": stack.output("PolledQueueUrl"), "messages": [{"MessageId": mark}]});
    let worker = function_arn(&stack, "SqsWorkerFunctionName");
    let id = put(&sluice, queue, &invocation(&worker, &dispatch), &[]);
    let left = sluice.run(&["redrive", queue, "--id", &id]);
    assert_eq!((left.code, left.stdout.contains("; 1 settled")), (Some(0), true), "{left:?}");
    assert!(left.stderr.contains("settled by its queue"), "{left:?}");
    let deleted = sluice.done(&["redrive", queue, "--id", &id, "--delete-settled"]);
    assert!(deleted.contains("1 settled and deleted"), "{deleted}");
}

#[test]
fn a_forged_letter_invokes_nothing() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let queue = sluice.queue("forged", &[]);
    let function = function_arn(&stack, "SnsLoggerFunctionName");
    put(&sluice, &queue, &invocation(&function, &notification("forged")), &[]);
    let outcome = sluice.run(&["redrive", &queue]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let reason = format!("the on-failure destination of function {function}:$LATEST is not {queue}");
    assert!(outcome.stderr.contains(&reason), "{outcome:?}");
    // The person's word is another thing.
    let moved = sluice.done(&["redrive", &queue, "--function", &function]);
    assert!(moved.starts_with("1 messages moved: 1 to function"), "{moved}");
}

#[tokio::test]
async fn what_sns_and_eventbridge_could_not_deliver_reaches_the_functions_it_was_for() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let queue = stack.output("DeliveryDeadLetterQueueUrl");
    let name = stack.output("JobQueueUrl").rsplit('/').next().unwrap().strip_suffix("-jobs").unwrap();
    let mark = new_name("delivery");

    let topic = stack.output("NotificationTopicArn");
    let answer = stack.sns.list_subscriptions_by_topic().topic_arn(topic).send().await.unwrap();
    let subscription = answer.subscriptions().iter().find(|one| one.protocol() == Some("lambda")).unwrap();
    let unsubscribe =
        format!("https://sns/?Action=Unsubscribe&SubscriptionArn={}", subscription.subscription_arn().unwrap());
    let envelope = json!({"Type": "Notification", "MessageId": "m", "TopicArn": topic, "Message": mark,
        "Timestamp": "2026-01-02T03:04:05.678Z", "UnsubscribeURL": unsubscribe});
    let mut log = Log::from_now(&stack, "SnsLoggerFunctionName");
    let id = put(&sluice, queue, &envelope, &[]);
    home(&sluice, queue, &id, &[]);
    let line = log.line("notification received", |line| line.text("body") == mark).await;
    assert_eq!(line.text("topic.arn"), topic);

    let event = json!({"version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
        "time": "2026-01-02T03:04:05Z", "resources": [],
        "detail": {"bucket": {"name": "b"}, "object": {"key": mark, "size": 1}, "reason": "PutObject"}});
    let rule = format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}-large-objects");
    let logger = function_arn(&stack, "S3ObjectLoggerFunctionName");
    let mut log = Log::from_now(&stack, "S3ObjectLoggerFunctionName");
    let notes = [("RULE_ARN", &*rule), ("TARGET_ARN", &*logger), ("ERROR_CODE", "NO_PERMISSIONS")];
    let id = put(&sluice, queue, &event, &notes);
    home(&sluice, queue, &id, &[]);
    log.line("object created", |line| line.text("object.key") == mark).await;

    let schedule = format!("arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/{name}-poller/{name}-poller");
    let poller = function_arn(&stack, "ScheduledPollerFunctionName");
    let notes = [("SCHEDULE_ARN", &*schedule), ("TARGET_ARN", &*poller), ("ERROR_CODE", "THROTTLED")];
    let id = put(&sluice, queue, &json!({"source": "aws.scheduler", "mark": mark}), &notes);
    // Lambda takes the event at once: a run of the poller lasts as long as its minute.
    home(&sluice, queue, &id, &["--async"]);
}

#[tokio::test]
async fn the_records_that_a_letter_points_at_are_read_from_their_stream() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let (queue, stream) = (stack.output("StreamDeadLetterQueueUrl"), stack.output("StreamName"));
    let mark = new_name("record");
    let mut log = Log::from_now(&stack, "KinesisLoggerFunctionName");
    let put_record = stack.kinesis.put_record().stream_name(stream).partition_key("a").data(Blob::new(mark.clone()));
    let there = put_record.send().await.unwrap();
    log.line("stream record received", |line| line.text("body") == mark).await;

    let mut log = Log::from_now(&stack, "KinesisLoggerFunctionName");
    let function = function_arn(&stack, "KinesisLoggerFunctionName");
    let letter = |sequence_number: &str| {
        json!({
            "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted"},
            "KinesisBatchInfo": {"shardId": there.shard_id(), "startSequenceNumber": sequence_number,
                "endSequenceNumber": sequence_number, "batchSize": 1,
                "streamArn": format!("arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{stream}")},
        })
    };
    let id = put(&sluice, queue, &letter(there.sequence_number()), &[]);
    home(&sluice, queue, &id, &[]);
    log.line("stream record received", |line| line.text("body") == mark).await;

    let id = put(&sluice, queue, &letter("1"), &[]);
    let aged = sluice.run(&["redrive", queue, "--id", &id]);
    assert_eq!((aged.code, aged.stderr.contains("aged out")), (Some(1), true), "{aged:?}");
    sluice.done(&["receive", queue, "--delete", "--id", &id]);
}

#[test]
fn what_lies_dead_is_said_by_kind_and_reason_and_left_where_it_is() {
    let sluice = Sluice::on_the_stack();
    let queue = sluice.queue("dead", &[]);
    let empty = sluice.run(&["dead", &queue]);
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(0), ""), "{empty:?}");
    for reason in ["it timed out", "it timed out", "no name"] {
        let source = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:jobs");
        put(&sluice, &queue, &json!({}), &[("sluicegate.reason", reason), ("sluicegate.source", &source)]);
    }
    let unknown = put(&sluice, &queue, &json!({}), &[]);
    for _ in 0..2 {
        let outcome = sluice.run(&["dead", &queue, "--output", "json"]);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told = |line: &Value| (line["kind"].clone(), line["reason"].clone(), line["count"].clone());
        let expected = [("rejected", "it timed out", 2), ("rejected", "no name", 1), ("unknown", "-", 1)]
            .map(|(kind, reason, count)| (json!(kind), json!(reason), json!(count)));
        assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected, "{outcome:?}");
        assert_eq!((&lines[2]["exampleId"], &lines[2]["queue"]), (&json!(unknown), &json!(queue)));
    }
    let text = sluice.run(&["dead", &queue]);
    assert!(text.stdout.contains("it timed out") && text.stderr.contains("4 dead letters"), "{text:?}");
}

/// As cron would ask: nothing is named, and every dead-letter queue is found from what leads to it.
#[test]
fn the_dead_letter_queues_of_a_stack_are_found_by_what_leads_to_them() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let name = |output: &str| stack.output(output).rsplit('/').next().unwrap().to_owned();
    let stack_name = name("JobQueueUrl").strip_suffix("-jobs").unwrap().to_owned();
    let own = format!("{stack_name}-none");
    assert_eq!(sluice.run(&["dead", "--stack", &own]).code, Some(2), "none is found");
    let outputs = [
        "JobDeadLetterQueueUrl",
        "InvocationDeadLetterQueueUrl",
        "DeliveryDeadLetterQueueUrl",
        "StreamDeadLetterQueueUrl",
    ];
    for output in outputs {
        put(&sluice, stack.output(output), &json!({"found": own}), &[]);
    }
    // What another test looks at meanwhile is hidden for a moment.
    eventually(|| {
        let outcome = sluice.run(&["dead", "--stack", &stack_name, "--output", "json"]);
        let lies = |output: &&str| outcome.stdout.contains(&format!("\"queue\":\"{}\"", name(output)));
        (outcome.code == Some(3) && outputs.iter().all(lies)).then_some(())
    });
    for output in outputs {
        sluice.done(&["receive", stack.output(output), "--delete", "--match", &own]);
    }
}
