//! `sluice queue show`.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::json;
use sluicegate::events::Queue;

use super::settings::{self, SettledAttributes};
use crate::{context::Context, counters::Counters, quantity::exact, queue_reference::QueueReference};

/// Three requests.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue show jobs\n  sluice queue show jobs --output json")]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let open = context.connect().await?.queue(&args.queue).await?;
    let found = settings::read(&open, true).await?;
    let sources = open.dead_letter_sources().await?;
    let sources = sources.map(|queues| queues.iter().map(|queue| queue.name().to_owned()).collect::<Vec<_>>());
    let attributes: BTreeMap<&str, &str> =
        found.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let tags: BTreeMap<&String, &String> = found.tags.iter().collect();
    let value = json!({
        "name": open.queue.name(), "url": open.queue.url(), "attributes": attributes, "deadLetterQueueOf": sources,
        "tags": tags,
    });
    let lines = || {
        let facts = facts(&open.queue, &found, sources.as_deref());
        let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
        let lines = facts.map(|(name, value)| format!("{name:<20} {}", context.output.shown(&value)));
        lines.collect::<Vec<_>>().join("\n")
    };
    context.output.result(lines, &value)
}

fn facts(queue: &Queue, found: &SettledAttributes, sources: Option<&[String]>) -> Vec<(&'static str, String)> {
    let text = |name: Name| found.text(&name).to_owned();
    let time = |name: Name| text(name).parse().map_or_else(|_| String::new(), |s| exact(Duration::from_secs(s)));
    let Counters { visible, in_flight, delayed } = Counters::from_attributes(&found.attributes);
    let deduplicates =
        if found.text(&Name::ContentBasedDeduplication) == "true" { ", drops repeated bodies" } else { "" };
    let key = text(Name::KmsMasterKeyId);
    let own = if found.text(&Name::SqsManagedSseEnabled) == "true" { "SQS's own key" } else { "none" };
    let tags: BTreeMap<_, _> = found.tags.iter().collect();
    vec![
        ("url", queue.url().to_owned()),
        ("arn", text(Name::QueueArn)),
        ("kind", if queue.is_fifo() { format!("FIFO{deduplicates}") } else { "standard".to_owned() }),
        ("messages", format!("{visible} visible, {in_flight} in flight, {delayed} delayed")),
        ("delay", time(Name::DelaySeconds)),
        ("retention", time(Name::MessageRetentionPeriod)),
        ("visibility", time(Name::VisibilityTimeout)),
        ("wait", time(Name::ReceiveMessageWaitTimeSeconds)),
        ("largest message", format!("{} bytes", text(Name::MaximumMessageSize))),
        ("dead letters to", found.dead_letters()),
        ("dead letters of", sources.map_or_else(|| "–".to_owned(), |names| names.join(", "))),
        ("encryption", if key.is_empty() { own.to_owned() } else { key }),
        ("tags", tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")),
        ("policy", text(Name::Policy)),
    ]
}
