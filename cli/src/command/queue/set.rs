//! `sluice queue set`: changes a queue that is there.

use anyhow::bail;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::json;

use super::settings::{self, Settings, Times};
use crate::{context::Context, queue_reference::QueueReference, redrive_policy::RedrivePolicy, usage::UsageError};

/// What is changed takes up to a minute to be so everywhere; retention up to a quarter of an hour.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue set jobs --visibility 3m --dlq jobs-dlq --max-receives 200\n  \
                        sluice queue set jobs --no-dlq --tag team=donors")]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
    #[command(flatten)]
    times: Times,
    /// Send what fails too often to this queue.
    #[arg(long, value_name = "QUEUE")]
    dlq: Option<QueueReference>,
    /// How often a message is received before it goes to the dead-letter queue: 1 to 1000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    max_receives: Option<u32>,
    /// Leave what fails in the queue.
    #[arg(long, conflicts_with_all = ["dlq", "max_receives"])]
    no_dlq: bool,
    /// Encrypt with this KMS key (id, ARN or alias).
    #[arg(long, value_name = "KEY")]
    kms: Option<String>,
    /// A tag; tags of other names stay.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = settings::tag)]
    tags: Vec<(String, String)>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let open = context.connect().await?.queue(&args.queue).await?;
    let actual = settings::read(&open, !args.tags.is_empty()).await?;
    let present = RedrivePolicy::read(actual.text(&Name::RedrivePolicy));
    let had_dead_letters = present.is_some();
    let dead_letters = match (&args.dlq, args.max_receives) {
        (Some(dlq), asked) => {
            let max_receives = asked.or(present.map(|policy| policy.max_receives)).unwrap_or(5);
            let arn = open.connection.queue(dlq).await?.arn().await?;
            if arn == actual.text(&Name::QueueArn) {
                bail!(UsageError("a queue cannot be its own dead-letter queue".to_owned()));
            }
            Some(RedrivePolicy { arn, max_receives })
        }
        (None, Some(max_receives)) => match present {
            Some(policy) => Some(RedrivePolicy { max_receives, ..policy }),
            None => bail!(UsageError(format!("{} has no dead-letter queue: name one with --dlq", open.queue))),
        },
        (None, None) => None,
    };
    let tags = args.tags.into_iter().collect();
    let settings = Settings { times: args.times, dead_letters, kms_key: args.kms, tags, ..Settings::default() };
    let mut attributes = settings.attributes();
    if args.no_dlq {
        attributes.insert(Name::RedrivePolicy, String::new());
    }
    if attributes.is_empty() && settings.tags.is_empty() {
        bail!(UsageError("nothing to change was named: `sluice queue set --help` says what can be".to_owned()));
    }
    let (differences, _) = settings.compare(&actual);
    let url = open.queue.url();
    if !attributes.is_empty() {
        let request = open.sqs.set_queue_attributes().queue_url(url).set_attributes(Some(attributes));
        request.send().await.map_err(open.refusal("sqs:SetQueueAttributes"))?;
    }
    if !settings.tags.is_empty() {
        let request = open.sqs.tag_queue().queue_url(url).set_tags(Some(settings.tags.clone()));
        request.send().await.map_err(open.refusal("sqs:TagQueue"))?;
    }
    let mut changed: Vec<String> = differences.iter().map(settings::Difference::change).collect();
    if args.no_dlq && had_dead_letters {
        changed.push(format!("dead-letter queue was {}, is none", actual.dead_letters()));
    }
    if changed.is_empty() {
        context.output.note(&format!("{} had these settings already", open.queue));
    }
    context.output.result(
        || changed.iter().map(|change| context.output.shown(change).into_owned()).collect::<Vec<_>>().join("\n"),
        &json!({ "queue": open.queue.name(), "changed": changed }),
    )
}
