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

pub(super) async fn run(
    dlq: &OpenQueue,
    to: Option<&OpenQueue>,
    rate: Option<u32>,
    output: Output,
) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let source = arn(dlq).await?;
    let destination = match to {
        Some(to) => Some(arn(to).await?),
        None => None,
    };
    start(dlq, &source, destination, rate).await?;
    tokio::select! {
        moved = follow(dlq, &source, output) => {
            let moved = moved?;
            output.result(|| format!("{moved} messages moved by SQS"), &json!({ "moved": moved }))
        }
        () = stop.requested() => {
            output.note("the task goes on in SQS: `aws sqs cancel-message-move-task` ends it");
            Ok(())
        }
    }
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
        let request = dlq.sqs.list_message_move_tasks().source_arn(source).max_results(1);
        let answer = request.send().await.map_err(dlq.refusal("sqs:ListMessageMoveTasks"))?;
        let task = answer.results().first().context("SQS does not list the task it began")?;
        let moved = u64::try_from(task.approximate_number_of_messages_moved()).unwrap_or(0);
        if let Some(total) = task.approximate_number_of_messages_to_move().and_then(|total| u64::try_from(total).ok()) {
            progress.get_or_insert_with(|| Progress::new(output, total, "messages")).add(moved.saturating_sub(shown));
            shown = moved.max(shown);
        }
        if let Some(end) = end(task, moved) {
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
            Some(Err(anyhow::anyhow!("the task ended as {status} after {moved} messages: {reason}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::connection::replay::{asked, replaying};

    const ARN: &str = "arn:aws:sqs:us-east-1:123456789012:jobs-dlq";

    async fn replayed(answers: &[(u16, Value)], rate: Option<u32>) -> (anyhow::Result<()>, Vec<Value>) {
        let (replay, connection) = replaying("us-east-1", answers);
        let dlq = connection.queue(&ARN.parse().unwrap()).await.unwrap();
        let outcome = run(&dlq, None, rate, Output::to_pipe()).await;
        (outcome, asked(&replay))
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
            replayed(&[queue(), started, task("RUNNING", 0), task("RUNNING", 25), task("COMPLETED", 40)], Some(50))
                .await;
        outcome.unwrap();
        assert_eq!(asked[1], json!({"SourceArn": ARN, "MaxNumberOfMessagesPerSecond": 50}));
        assert_eq!(asked[2], json!({"SourceArn": ARN, "MaxResults": 1}));
        assert_eq!(asked.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_says_why_and_how_far_it_came() {
        let started = (200, json!({"TaskHandle": "t"}));
        let (outcome, _) = replayed(&[queue(), started, task("FAILED", 3)], None).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("FAILED after 3") && error.contains("CouldNotDetermineMessageSource"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_without_tasks_is_said_with_what_to_do() {
        let refused = (400, json!({"__type": "com.amazonaws.sqs#InvalidAction", "message": "no"}));
        let (outcome, _) = replayed(&[queue(), refused], None).await;
        assert!(outcome.unwrap_err().to_string().contains("leave --server out"));
    }
}
