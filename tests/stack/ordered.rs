//! Message groups: `OrderedTopic` → `OrderedQueue` → worker.

use std::collections::HashMap;

use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use super::{
    Stack,
    job::{Job, run_mark},
    log::Log,
    queue,
    settings::Settings,
    turn::alone,
    wait::eventually,
};

const GROUPS: usize = 20;
const MESSAGES_A_GROUP: usize = 50;

/// A message's place: its group, and its place in it.
type Place = (usize, usize);

/// In every group one job fails once; in some groups one job is rejected, in others one panics every time.
fn job(run: &str, (group, place): Place) -> Job {
    let order = match (group % 4, place) {
        (_, 20) => json!({"drill": "fail", "until_receive": 2}),
        (1, 30) => json!({"drill": "reject"}),
        (2, 30) => json!({"drill": "panic"}),
        _ => json!({"drill": "succeed"}),
    };
    Job::drill(&format!("{run}-{group}-{place}."), order)
}

fn is_given_up((group, place): Place) -> bool {
    place == 30 && matches!(group % 4, 1 | 2)
}

/// Switches Lambda's poller of the ordered queue on or off.
async fn set_mapping(stack: &Stack, enabled: bool) {
    let (_, queue) = stack.output("OrderedQueueUrl").rsplit_once('/').unwrap();
    let function = stack.output("SqsWorkerFunctionName");
    let listed = stack.lambda.list_event_source_mappings().function_name(function).send().await.unwrap();
    let mut mappings = listed.event_source_mappings.unwrap_or_default().into_iter();
    let mapping = mappings.find(|mapping| mapping.event_source_arn().is_some_and(|arn| arn.ends_with(queue)));
    let id = mapping.unwrap().uuid.unwrap();
    stack.lambda.update_event_source_mapping().uuid(id).enabled(enabled).send().await.unwrap();
}

/// Half of the groups come in turn, so that a batch holds one message of each; the others come whole, one after the
/// other, so that a batch holds many of one.
fn sequence() -> Vec<Place> {
    let in_turn = (0..MESSAGES_A_GROUP).flat_map(|place| (0..GROUPS / 2).map(move |group| (group, place)));
    let whole = (GROUPS / 2..GROUPS).flat_map(|group| (0..MESSAGES_A_GROUP).map(move |place| (group, place)));
    in_turn.chain(whole).collect()
}

/// One by one: the local AWS loses the group of messages that are published in batches.
async fn publish(stack: &Stack, run: &str) {
    for (group, place) in sequence() {
        let job = job(run, (group, place));
        let request = stack.sns.publish().topic_arn(stack.output("OrderedTopicArn")).message(job.body);
        let kind = MessageAttributeValue::builder().data_type("String").string_value(job.kind).build().unwrap();
        let request = request.message_attributes("JobType", kind).message_group_id(format!("{run}-{group}"));
        request.message_deduplication_id(format!("{run}-{group}-{place}")).send().await.unwrap();
    }
}

/// Each message's place by the id it has in the queue, which the topic's publisher never learns.
async fn places(stack: &Stack, run: &str) -> HashMap<String, Place> {
    eventually("all messages in the ordered queue", async || {
        let messages = stack.emulator.messages(stack.output("OrderedQueueUrl")).await;
        let place = |message: &Value| {
            let rest = message["MessageDeduplicationId"].as_str()?.strip_prefix(run)?.strip_prefix('-')?;
            let (group, place) = rest.split_once('-')?;
            assert_eq!(message["MessageGroupId"], format!("{run}-{group}"));
            Some((message["MessageId"].as_str()?.to_owned(), (group.parse().ok()?, place.parse().ok()?)))
        };
        let found: HashMap<String, Place> = messages.iter().filter_map(place).collect();
        if found.len() == GROUPS * MESSAGES_A_GROUP { Ok(found) } else { Err(format!("{} of them", found.len())) }
    })
    .await
}

#[tokio::test]
async fn each_message_group_is_worked_on_in_the_order_it_was_sent_and_no_group_harms_another() {
    let (stack, _turn) = (Stack::of_make_test(), alone().await);
    // Errors would have Lambda pause for a second each time a group waits: they change how fast, not in what order.
    Settings::in_a_hurry("OrderedQueueUrl")
        .with_variable("FAIL_WHOLE_BATCH", "false")
        .during(&stack, async {
            let mut log = Log::from_now(&stack, "SqsWorkerFunctionName");
            let run = run_mark("ordered");
            set_mapping(&stack, false).await;
            publish(&stack, &run).await;
            let places = places(&stack, &run).await;
            set_mapping(&stack, true).await;
            queue::is_empty(&stack, "OrderedQueueUrl").await;

            let settled: Vec<&String> =
                places.iter().filter(|&(_, &place)| !is_given_up(place)).map(|(id, _)| id).collect();
            log.lines_for("job done", "record.message_id", &settled).await;
            let mut done: Vec<Vec<usize>> = vec![Vec::new(); GROUPS];
            for line in log.read().await.iter().filter(|line| line.says("job done")) {
                if let Some(&(group, place)) = places.get(line.text("record.message_id")) {
                    done[group].push(place);
                }
            }
            for (group, done) in done.iter().enumerate() {
                let expected: Vec<usize> =
                    (0..MESSAGES_A_GROUP).filter(|&place| !is_given_up((group, place))).collect();
                assert_eq!(*done, expected, "group {group}");
            }
            just_the_bad_are_given_up(&stack, &run).await;
        })
        .await;
}

async fn just_the_bad_are_given_up(stack: &Stack, run: &str) {
    let letters = queue::letters(stack, "OrderedDeadLetterQueueUrl", run).await;
    let mut given_up: Vec<&str> = letters.iter().map(queue::Letter::body).collect();
    let bad = sequence().into_iter().filter(|&place| is_given_up(place));
    let mut bad: Vec<String> = bad.map(|place| job(run, place).body).collect();
    given_up.sort_unstable();
    bad.sort_unstable();
    assert_eq!(given_up, bad);
    assert!(letters.iter().all(|letter| letter.attribute("sluicegate.reason").is_some()), "{letters:?}");
    queue::nothing_given_up(stack, run, Some("OrderedDeadLetterQueueUrl")).await;
}
