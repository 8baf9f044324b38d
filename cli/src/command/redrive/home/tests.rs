use std::fs;

use serde_json::Value;
use sluicegate::events::dispatch::Message;

use super::*;
use crate::connection::replay::replaying;

const HERE: &str = "arn:aws:sqs:us-east-1:123456789012:dead";
const ELSEWHERE: &str = "arn:aws:sqs:us-east-1:123456789012:innocent";

fn sample(name: &str) -> Letter {
    let text = fs::read_to_string(format!("src/dead_letter/samples/{name}.json")).unwrap();
    Letter::read(serde_json::from_str::<Message>(&text).unwrap()).unwrap()
}

/// What becomes of a letter in the queue `dead`, whose ARN stands for `$DLQ` in AWS's answers, and how many of them were
/// asked for.
async fn way_of(letter: &Letter, dlq: &str, answers: &[&str]) -> (Result<Way, Stay>, usize) {
    let sources = [r#"{"queueUrls": []}"#];
    let answers: Vec<(u16, String)> =
        sources.iter().chain(answers).map(|answer| (200, answer.replace("$DLQ", dlq))).collect();
    let (replay, connection) = replaying("us-east-1", &answers);
    let open = connection.queue(&HERE.parse().unwrap()).await.unwrap();
    let mut homes = Homes::find(&open, Some(HERE.to_owned()), None, None).await.unwrap();
    let way = homes.of(letter).await;
    (way, replay.actual_requests().count() - 1)
}

const QUEUE: &str = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"}"#;
const READING: &str = r#"{"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:jobs",
    "RedrivePolicy": "{\"deadLetterTargetArn\":\"$DLQ\",\"maxReceiveCount\":5}"}}"#;
const DESTINATION: &str =
    r#"{"FunctionEventInvokeConfigs": [{"DestinationConfig": {"OnFailure": {"Destination": "$DLQ"}}}]}"#;
const FUNCTION: &str = r#"{"FunctionName": "f", "Timeout": 30}"#;
const FUNCTIONS: &str = r#"{"Functions": [{"FunctionName": "f", "FunctionArn":
    "arn:aws:lambda:us-east-1:123456789012:function:f", "DeadLetterConfig": {"TargetArn": "$DLQ"}}]}"#;
const SUBSCRIPTIONS: &str = "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member>
    <SubscriptionArn>arn:aws:sns:us-east-1:123456789012:uploads:c9135db0-26c4-47ec-8998-413945fb5a96</SubscriptionArn>
    <Protocol>lambda</Protocol><Endpoint>arn:aws:lambda:us-east-1:123456789012:function:logger</Endpoint>
    <TopicArn>arn:aws:sns:us-east-1:123456789012:uploads</TopicArn></member><member>
    <SubscriptionArn>arn:aws:sns:us-east-1:123456789012:uploads:another</SubscriptionArn><Protocol>sqs</Protocol>
    <Endpoint>arn:aws:sqs:us-east-1:123456789012:jobs</Endpoint></member></Subscriptions>
    </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>";
const SUBSCRIPTION: &str = r#"<GetSubscriptionAttributesResponse><GetSubscriptionAttributesResult><Attributes><entry>
    <key>RedrivePolicy</key><value>{"deadLetterTargetArn":"$DLQ"}</value></entry></Attributes>
    </GetSubscriptionAttributesResult></GetSubscriptionAttributesResponse>"#;
const TARGETS: &str = r#"{"Targets": [{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:logger",
    "DeadLetterConfig": {"Arn": "$DLQ"}}]}"#;
const SCHEDULE: &str = r#"{"ScheduleExpression": "cron(0 8 * * ? *)", "Target": {"RoleArn": "r", "Arn":
    "arn:aws:lambda:us-east-1:123456789012:function:poller", "Input": "{\"own\": 1}", "DeadLetterConfig": {"Arn": "$DLQ"}}}"#;
const MAPPINGS: &str = r#"{"EventSourceMappings": [{"FunctionArn":
    "arn:aws:lambda:us-east-1:123456789012:function:records",
    "DestinationConfig": {"OnFailure": {"Destination": "$DLQ"}}}]}"#;
const ITERATOR: &str = r#"{"ShardIterator": "i"}"#;
const KINESIS: &str = r#"{"MillisBehindLatest": 0, "Records": [
    {"SequenceNumber": "49659999999999999999999999999999999999999999999999999998", "PartitionKey": "a", "Data": "QQ=="},
    {"SequenceNumber": "49660000000000000000000000000000000000000000000000000001", "PartitionKey": "b", "Data": "Qg=="},
    {"SequenceNumber": "49660000000000000000000000000000000000000000000000000002", "PartitionKey": "c", "Data": "Qw=="}]}"#;
const CHANGES: &str = r#"{"Records": [
    {"eventID": "1", "eventName": "INSERT", "eventVersion": "1.1", "awsRegion": "us-east-1", "dynamodb":
        {"Keys": {"Id": {"N": "101"}}, "NewImage": {"Tags": {"L": [{"S": "a"}, {"NULL": true}]}}, "SizeBytes": 26,
        "SequenceNumber": "800000000003126276362", "StreamViewType": "NEW_AND_OLD_IMAGES"}},
    {"eventID": "2", "eventName": "REMOVE", "dynamodb": {"SequenceNumber": "900000000003126276400"}}]}"#;

/// The answers by which each kind's claim is looked up, and those that it takes beside to go home.
const ROWS: [(&str, &[&str], &[&str]); 8] = [
    ("rejected", &[QUEUE, READING], &[]),
    ("invocation", &[DESTINATION], &[FUNCTION]),
    ("event", &[FUNCTIONS], &[FUNCTION]),
    ("subscription", &[SUBSCRIPTIONS, SUBSCRIPTION], &[FUNCTION]),
    ("rule", &[TARGETS], &[FUNCTION]),
    ("schedule", &[SCHEDULE], &[FUNCTION]),
    ("kinesis", &[MAPPINGS], &[FUNCTION, ITERATOR, KINESIS]),
    ("dynamodb", &[MAPPINGS], &[FUNCTION, ITERATOR, CHANGES]),
];

/// Whoever may write to the queue may write any body and any note: nothing but the target's own configuration counts.
#[tokio::test]
async fn a_forged_letter_goes_nowhere() {
    for (name, claim, rest) in ROWS.into_iter().chain([("dispatch", &[DESTINATION][..], &[FUNCTION][..])]) {
        let (way, asked) = way_of(&sample(name), ELSEWHERE, &[claim, rest].concat()).await;
        assert!(matches!(&way, Err(Stay::Refused(_))), "{name}: {way:?}");
        assert_eq!(asked, claim.len(), "{name}: nothing is asked once the claim is not borne out");
    }
}

#[tokio::test]
async fn an_honest_letter_goes_home_as_what_its_target_was_to_have() {
    let event = |name: &str| match name {
        "invocation" => r#"{"b":1,"a":12345678901234567890123}"#.to_owned(),
        "event" => r#"{"order": 42}"#.to_owned(),
        "schedule" => r#"{"own": 1}"#.to_owned(),
        "rule" => sample("rule").record.body,
        _ => String::new(),
    };
    for (name, claim, rest) in ROWS {
        let (way, _) = way_of(&sample(name), HERE, &[claim, rest].concat()).await;
        let way = way.unwrap_or_else(|stay| panic!("{name}: {stay:?}"));
        match way {
            Way::Send { to, message } => {
                assert_eq!((name, to.queue.name(), &*message.body), ("rejected", "jobs", r#"{"nom":"Ada"}"#));
            }
            Way::Invoke { event: sent, .. } if !event(name).is_empty() => assert_eq!(*sent, *event(name), "{name}"),
            Way::Invoke { event: sent, .. } => {
                let sent: Value = serde_json::from_str(&sent).unwrap();
                let records = sent["Records"].as_array().unwrap();
                assert_eq!(records.len(), if name == "subscription" { 1 } else { 2 }, "{name}: {sent}");
                insta::assert_json_snapshot!(name, sent);
            }
        }
    }
}

#[tokio::test]
async fn a_dispatch_is_settled_by_its_queue() {
    let (way, _) = way_of(&sample("dispatch"), HERE, &[DESTINATION, FUNCTION]).await;
    assert!(matches!(way, Err(Stay::Settled(why)) if why.contains("by its queue")));
}

/// The answer says nothing of where the letter lies, and SQS says it of none that a producer sent.
#[tokio::test]
async fn what_tells_no_origin_stays() {
    let none =
        "<ListSubscriptionsResponse><ListSubscriptionsResult></ListSubscriptionsResult></ListSubscriptionsResponse>";
    let (way, _) = way_of(&sample("unknown"), HERE, &[none]).await;
    assert!(matches!(way, Err(Stay::Refused(why)) if why.contains("nothing says")));
}

#[tokio::test]
async fn a_tick_is_expired_when_the_next_has_come() {
    let schedule = SCHEDULE.replace("cron(0 8 * * ? *)", "rate(1 minute)");
    let (way, _) = way_of(&sample("schedule"), HERE, &[&schedule, FUNCTION]).await;
    assert!(matches!(way, Err(Stay::Settled(why)) if why.contains("expired")), "the sample is of 2026-01-02");
}

#[tokio::test]
async fn what_was_cut_or_has_aged_out_or_is_made_anew_is_refused_with_the_reason() {
    let mut cut = sample("schedule");
    cut.record.attributes.insert("IS_PAYLOAD_TRUNCATED".to_owned(), sluicegate::events::MessageAttribute::text("true"));
    let without_input = SCHEDULE.replace(r#""Input": "{\"own\": 1}","#, "");
    let transformed = TARGETS.replace(r#""Id": "1","#, r#""Id": "1", "InputPath": "$.detail","#);
    let aged = KINESIS.replace("98\"", "99\"");
    for (letter, answers, part) in [
        (cut, vec![&*without_input, FUNCTION], "was cut"),
        (sample("rule"), vec![&*transformed], "makes what its target gets"),
        (sample("kinesis"), vec![MAPPINGS, FUNCTION, ITERATOR, &*aged], "aged out"),
    ] {
        let (way, _) = way_of(&letter, HERE, &answers).await;
        assert!(matches!(&way, Err(Stay::Refused(why)) if why.contains(part)), "{part}: {way:?}");
    }
}

/// The envelope comes off where the subscriber takes messages without one.
#[test]
fn an_envelope_is_peeled_for_who_takes_messages_raw() {
    let mut record = sample("subscription").record;
    subscription::peel(&mut record);
    assert_eq!((record.body.as_str(), record.attributes["kind"].as_text()), (r#"{"Records":[]}"#, Some("photo")));
    assert_eq!(subscription::invocation("no JSON", "arn"), "no JSON");
}
