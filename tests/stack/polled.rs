//! Jobs that the scheduled poller collects.

use aws_sdk_lambda::types::InvocationType;

use super::{
    Stack,
    job::{Job, run_mark, send},
    log::{Line, Log},
    queue,
    turn::beside_others,
};

#[tokio::test]
async fn polled_jobs_go_to_the_worker_in_few_invocations_and_the_bad_one_to_the_dead_letter_queue() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut poller = Log::from_now(&stack, "ScheduledPollerFunctionName");
    let mut worker = Log::from_now(&stack, "SqsWorkerFunctionName");
    let run = run_mark("polled");
    let mut jobs: Vec<Job> = (0..45).map(|number| Job::donor(&format!("{run}-{number}"))).collect();
    jobs.push(Job::nameless(&run));
    let ids = send(&stack, "PolledQueueUrl", &jobs).await;
    // The schedule comes each minute; the test does not wait for it. Whichever run comes first takes the jobs.
    let function = stack.output("ScheduledPollerFunctionName");
    stack.lambda.invoke().function_name(function).invocation_type(InvocationType::Event).send().await.unwrap();

    worker.lines_for("job done", "record.message_id", &ids[..45]).await;
    let name = stack.output("PolledQueueUrl").rsplit('/').next().unwrap();
    let dispatched = |line: &Line| line.text("door") == "dispatch" && line.text("queue.name") == name;
    worker.line("batch finished", dispatched).await;
    let letter = queue::letter(&stack, "PolledDeadLetterQueueUrl", &jobs[45].body).await;
    assert!(letter.attribute("sluicegate.reason").is_some_and(|reason| reason.contains("no name")), "{letter:?}");
    queue::is_empty(&stack, "PolledQueueUrl").await;

    let busy = |line: &Line| line.field("messages.dispatched").as_u64() > Some(0);
    let run = poller.line("poll finished", busy).await;
    let count = |field: &str| run.field(field).as_u64().unwrap();
    assert_eq!(count("messages.received"), count("messages.dispatched"), "{run:?}");
    assert_eq!(count("messages.returned"), 0, "{run:?}");
    assert!(count("invocations") < count("messages.dispatched"), "messages travel together: {run:?}");
}
