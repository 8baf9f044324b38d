//! SQS's own move task: `StartMessageMoveTask`, followed by `ListMessageMoveTasks`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_sdk_sqs::types::{ListMessageMoveTasksResultEntry, QueueAttributeName};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    connection::OpenQueue,
    output::{Output, Progress},
    stop::Stop,
};

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Without a destination SQS sends each letter to the queue it remembers, and fails at the first that a worker sent here.
pub(super) async fn run(
    dlq: &OpenQueue,
    to: Option<OpenQueue>,
    rate: Option<u32>,
    output: Output,
) -> anyhow::Result<()> {
    let source = arn(dlq).await?;
    let sole_source = match (to.is_none(), dlq.dead_letter_sources().await?.unwrap_or_default().as_slice()) {
        (true, [only]) => Some(OpenQueue { queue: only.clone(), ..dlq.clone() }),
        _ => None,
    };
    let destination = match to.or(sole_source) {
        Some(to) => Some(arn(&to).await?),
        None => None,
    };
    let mut stop = Stop::listen()?;
    start(dlq, &source, destination, rate).await?;
    tokio::select! {
        moved = follow(dlq, &source, output) => {
            let moved = moved?;
            output.result(|| format!("{moved} messages moved by SQS"), &json!({ "moved": moved }))
        }
        () = stop.requested() => {
            let dlq = &dlq.queue;
            output.note(&format!("SQS goes on with it: `sluice redrive {dlq} --server --cancel` ends it"));
            Ok(())
        }
    }
}

/// Ends the task that SQS is at. What it moved is moved.
pub(super) async fn cancel(dlq: &OpenQueue, output: Output) -> anyhow::Result<()> {
    let newest = newest(dlq, &arn(dlq).await?).await?;
    let Some(handle) = newest.as_ref().and_then(|task| task.task_handle()) else {
        bail!("SQS is not at moving messages of {}", dlq.queue);
    };
    let answer = dlq.sqs.cancel_message_move_task().task_handle(handle).send().await;
    let moved = answer.map_err(dlq.refusal("sqs:CancelMessageMoveTask"))?.approximate_number_of_messages_moved;
    output.result(|| format!("cancelled; SQS moved about {moved} messages before"), &json!({ "moved": moved }))
}

async fn newest(dlq: &OpenQueue, source: &str) -> anyhow::Result<Option<ListMessageMoveTasksResultEntry>> {
    let request = dlq.sqs.list_message_move_tasks().source_arn(source).max_results(1);
    let answer = request.send().await.map_err(dlq.refusal("sqs:ListMessageMoveTasks"))?;
    Ok(answer.results.and_then(|tasks| tasks.into_iter().next()))
}

async fn arn(open: &OpenQueue) -> anyhow::Result<String> {
    let request = open.sqs.get_queue_attributes().queue_url(open.queue.url());
    let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
    let answer = answer.map_err(open.refusal("sqs:GetQueueAttributes"))?;
    let arn = answer.attributes.and_then(|mut found| found.remove(&QueueAttributeName::QueueArn));
    arn.with_context(|| format!("AWS told no ARN of {}", open.queue))
}

async fn start(dlq: &OpenQueue, source: &str, destination: Option<String>, rate: Option<u32>) -> anyhow::Result<()> {
    let request = dlq.sqs.start_message_move_task().source_arn(source).set_destination_arn(destination);
    let request = request.set_max_number_of_messages_per_second(rate.and_then(|rate| i32::try_from(rate).ok()));
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| code.contains("InvalidAction")) => {
            bail!("this endpoint has no move tasks: leave --server out")
        }
        Err(error) => Err(dlq.refusal("sqs:StartMessageMoveTask")(error)),
    }
}

/// Waits for the newest task to end; answers how many messages it moved.
async fn follow(dlq: &OpenQueue, source: &str, output: Output) -> anyhow::Result<u64> {
    let mut progress: Option<Progress> = None;
    let mut shown = 0;
    loop {
        let task = newest(dlq, source).await?.context("SQS does not list the task it began")?;
        let moved = u64::try_from(task.approximate_number_of_messages_moved()).unwrap_or(0);
        if let Some(total) = task.approximate_number_of_messages_to_move().and_then(|total| u64::try_from(total).ok()) {
            progress.get_or_insert_with(|| Progress::new(output, total, "messages")).add(moved.saturating_sub(shown));
            shown = moved.max(shown);
        }
        if let Some(end) = end(&task, moved) {
            return end;
        }
        sleep(LOOK_EVERY).await;
    }
}

fn end(task: &ListMessageMoveTasksResultEntry, moved: u64) -> Option<anyhow::Result<u64>> {
    match task.status().unwrap_or_default() {
        "RUNNING" | "CANCELLING" => None,
        "COMPLETED" => Some(Ok(moved)),
        status => {
            let reason = task.failure_reason().unwrap_or("SQS gave no reason");
            let advice = if reason.contains("CouldNotDetermineMessageSource") { ": add --to QUEUE" } else { "" };
            Some(Err(anyhow::anyhow!("the task ended as {status} after {moved} messages: {reason}{advice}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::connection::replay::{asked, replaying};

    const ARN: &str = "arn:aws:sqs:us-east-1:123456789012:jobs-dlq";

    const JOBS: &str = "arn:aws:sqs:us-east-1:123456789012:jobs";

    /// What was asked after whose dead-letter queue it is.
    async fn replayed(answers: &[(u16, Value)], rate: Option<u32>) -> (anyhow::Result<()>, Vec<Value>) {
        let urls = json!({"queueUrls": ["https://sqs.us-east-1.amazonaws.com/123456789012/jobs"]});
        let jobs = (200, json!({"Attributes": {"QueueArn": JOBS}}));
        let answers = [&[queue(), (200, urls), jobs], answers].concat();
        let (replay, connection) = replaying("us-east-1", &answers);
        let dlq = connection.queue(&ARN.parse().unwrap()).await.unwrap();
        let outcome = run(&dlq, None, rate, Output::to_pipe()).await;
        (outcome, asked(&replay).split_off(3))
    }

    fn task(status: &str, moved: u32) -> (u16, Value) {
        let task = json!({"Status": status, "ApproximateNumberOfMessagesMoved": moved,
            "ApproximateNumberOfMessagesToMove": 40, "SourceArn": ARN, "FailureReason": "CouldNotDetermineMessageSource"});
        (200, json!({ "Results": [task] }))
    }

    fn queue() -> (u16, Value) {
        (200, json!({"Attributes": {"QueueArn": ARN}}))
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_is_begun_with_the_rate_and_followed_to_its_end() {
        let started = (200, json!({"TaskHandle": "t"}));
        let (outcome, asked) =
            replayed(&[started, task("RUNNING", 0), task("RUNNING", 25), task("COMPLETED", 40)], Some(50)).await;
        outcome.unwrap();
        let sole_source = json!({"SourceArn": ARN, "DestinationArn": JOBS, "MaxNumberOfMessagesPerSecond": 50});
        assert_eq!(asked[0], sole_source);
        assert_eq!(asked[1], json!({"SourceArn": ARN, "MaxResults": 1}));
        assert_eq!(asked.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_says_why_and_how_far_it_came() {
        let started = (200, json!({"TaskHandle": "t"}));
        let (outcome, _) = replayed(&[started, task("FAILED", 3)], None).await;
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.contains("FAILED after 3") && error.ends_with("CouldNotDetermineMessageSource: add --to QUEUE"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_task_that_runs_is_cancelled_by_its_handle() {
        let running = json!({"Results": [{"Status": "RUNNING", "TaskHandle": "t"}]});
        let cancelled = json!({"ApproximateNumberOfMessagesMoved": 7});
        let (replay, connection) = replaying("us-east-1", &[queue(), (200, running), (200, cancelled)]);
        let dlq = connection.queue(&ARN.parse().unwrap()).await.unwrap();
        cancel(&dlq, Output::to_pipe()).await.unwrap();
        assert_eq!(asked(&replay)[2], json!({"TaskHandle": "t"}));
        let (_, connection) = replaying("us-east-1", &[queue(), task("COMPLETED", 3)]);
        let dlq = connection.queue(&ARN.parse().unwrap()).await.unwrap();
        assert!(cancel(&dlq, Output::to_pipe()).await.unwrap_err().to_string().contains("is not at moving"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_without_tasks_is_said_with_what_to_do() {
        let refused = (400, json!({"__type": "com.amazonaws.sqs#InvalidAction", "message": "no"}));
        let (outcome, _) = replayed(&[refused], None).await;
        assert!(outcome.unwrap_err().to_string().contains("leave --server out"));
    }
}
