//! `sluice topic tail`: what is said, as it is said.

use anyhow::Context as _;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use serde_json::value::RawValue;
use sluicegate::events::{Queue, read_notifications};

use super::{
    reference::{OpenTopic, TopicReference},
    subscribe::{filter, let_in},
};
use crate::{connection::OpenQueue, context::Context, output::Output, stop::Stop};

/// Listens with a queue of its own, which it subscribes and deletes again when it ends: Ctrl-C, SIGTERM, or whoever reads
/// is gone. A process that is killed leaves its queue behind: `sluice queue list sluice-tail-`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic tail alerts\n  sluice topic tail uploads --output json | jq .Message")]
pub(crate) struct Args {
    /// The topic: ARN or name.
    topic: TopicReference,
    /// Only what fits this filter policy of message attributes.
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<String>,
}

/// Nobody reads what is older: an hour.
const RETENTION_SECONDS: &str = "3600";
/// The longest long poll.
const WAIT_SECONDS: i32 = 20;

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let topic = args.topic.open(&connection).await?;
    let mut stop = Stop::listen()?;
    let open = make_queue(&topic).await?;
    let mut subscription = None;
    let listened = tokio::select! {
        listened = listen(&open, &topic, args.filter, &mut subscription, context.output) => listened,
        () = stop.requested() => Ok(()),
    };
    // Each whatever became of the other. A subscription to a queue that is gone, SNS removes by itself in time.
    let unsubscribed = match &subscription {
        Some(arn) => topic.sns.unsubscribe().subscription_arn(arn).send().await.map(drop),
        None => Ok(()),
    };
    let deleted = open.sqs.delete_queue().queue_url(open.queue.url()).send().await;
    listened?;
    unsubscribed.map_err(topic.connection.refusal("sns:Unsubscribe", &topic.arn))?;
    deleted.map(drop).map_err(open.refusal("sqs:DeleteQueue"))
}

/// A queue that nobody else knows of.
async fn make_queue(topic: &OpenTopic) -> anyhow::Result<OpenQueue> {
    let (connection, is_fifo) = (topic.connection.clone(), topic.arn.ends_with(".fifo"));
    let suffix = if is_fifo { ".fifo" } else { "" };
    let name = format!("sluice-tail-{:016x}{suffix}", fastrand::u64(..));
    let sqs = connection.sqs()?;
    let mut request = sqs.create_queue().queue_name(&name);
    request = request.attributes(QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS);
    if is_fifo {
        request = request.attributes(QueueAttributeName::FifoQueue, "true");
    }
    let answer = request.send().await.map_err(connection.refusal("sqs:CreateQueue", &name))?;
    let url = answer.queue_url.context("AWS answered CreateQueue without a URL")?;
    Ok(OpenQueue { queue: Queue::from_url(&url)?, sqs, connection })
}

async fn listen(
    open: &OpenQueue,
    topic: &OpenTopic,
    filter: Option<String>,
    subscription: &mut Option<String>,
    output: Output,
) -> anyhow::Result<()> {
    let_in(open, topic).await?;
    let mut request = topic.sns.subscribe().topic_arn(&topic.arn).protocol("sqs").endpoint(open.arn().await?);
    if let Some(filter) = filter {
        request = request.attributes("FilterPolicy", filter);
    }
    let answer = request.send().await.map_err(topic.connection.refusal("sns:Subscribe", &topic.arn))?;
    *subscription = answer.subscription_arn;
    output.note(&format!("listening to {}; Ctrl-C ends", topic.arn));
    loop {
        let request = open.sqs.receive_message().queue_url(open.queue.url());
        let request = request.max_number_of_messages(10).wait_time_seconds(WAIT_SECONDS);
        let answer = Box::pin(request.send()).await.map_err(open.refusal("sqs:ReceiveMessage"))?;
        for message in answer.messages.unwrap_or_default() {
            print(&message, output).await?;
            let request = open.sqs.delete_message().queue_url(open.queue.url());
            let request = request.set_receipt_handle(message.receipt_handle);
            request.send().await.map_err(open.refusal("sqs:DeleteMessage"))?;
        }
    }
}

/// SNS's envelope as it is, or what is in it.
async fn print(message: &Message, output: Output) -> anyhow::Result<()> {
    let body = message.body.as_deref().unwrap_or_default();
    let envelope: &RawValue = serde_json::from_str(body).context("SNS sent no JSON")?;
    output.deliver(|| text(body, output), &envelope).await
}

fn text(envelope: &str, output: Output) -> String {
    let found = read_notifications(&format!(r#"{{"Records":[{{"Sns":{envelope}}}]}}"#));
    let Some(Ok(said)) = found.ok().and_then(|mut found| found.records.pop()) else {
        return output.shown(envelope).into_owned();
    };
    let time = said.published_at.map(|at| at.to_rfc3339()).unwrap_or_default();
    let mut lines =
        vec![format!("{time}  {}", output.shown(said.subject.as_deref().unwrap_or_default())).trim().to_owned()];
    for (name, attribute) in &said.attributes {
        let value = attribute.as_text().unwrap_or("(binary)");
        lines.push(format!("  {}: {}", output.shown(name), output.shown(value)));
    }
    lines.push(format!("  {}", output.shown(&said.message)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_was_said_is_shown_without_its_envelope() {
        let envelope: Value = json!({
            "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
            "Subject": "Disk full", "Message": "db-1\nhas 2% left", "Timestamp": "2026-11-26T12:00:00.000Z",
            "MessageAttributes": {"kind": {"Type": "String", "Value": "disk"}},
        });
        let shown = text(&envelope.to_string(), Output::to_terminal());
        assert_eq!(shown, "2026-11-26T12:00:00+00:00  Disk full\n  kind: disk\n  db-1\\nhas 2% left");
        assert_eq!(text("7", Output::to_pipe()), "7");
    }
}
