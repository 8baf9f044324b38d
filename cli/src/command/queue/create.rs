//! `sluice queue create`: makes a queue, or finds that it is there already as it should be.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use sluicegate::events::Queue;

use super::settings::{self, Settings, Times, list};
use crate::{
    connection::{Connection, OpenQueue},
    context::Context,
    queue_reference::{QueueName, QueueReference},
    redrive_policy::RedrivePolicy,
    usage::UsageError,
};

/// How long messages stay in a dead-letter queue made here: as long as SQS keeps any, since on a standard queue their
/// age counts from when they were first sent.
const DEAD_LETTER_RETENTION: Duration = Duration::from_hours(14 * 24);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Making it again with the same settings is a success; with others, each difference is said and \
                        nothing is changed.\n\n\
                        Example:\n  sluice queue create jobs --visibility 1m --wait 20s --dlq --max-receives 5\n  \
                        sluice queue create orders --fifo --dlq dead-orders.fifo"
)]
pub(crate) struct Args {
    /// The queue's name. With --fifo, `.fifo` is added where it is missing.
    name: QueueName,
    /// Keep the order of messages inside their groups.
    #[arg(long)]
    fifo: bool,
    /// Drop a message whose body was sent in the last five minutes (FIFO queues only).
    #[arg(long)]
    content_deduplication: bool,
    #[command(flatten)]
    times: Times,
    /// Send what fails too often to this queue, made if it is missing. Without a name: NAME-dlq.
    #[arg(long, value_name = "QUEUE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "absent, alone, or with a name: clap's own type for it")]
    dlq: Option<Option<QueueReference>>,
    /// How often a message is received before it goes to the dead-letter queue: 1 to 1000.
    #[arg(long, value_name = "N", requires = "dlq", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    max_receives: u32,
    /// Encrypt with this KMS key (id, ARN or alias) instead of SQS's own; a dead-letter queue that is made, too.
    #[arg(long, value_name = "KEY")]
    kms: Option<String>,
    /// A tag; up to 50.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = settings::tag)]
    tags: Vec<(String, String)>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let name = full_name(&args.name, args.fifo)?;
    if args.content_deduplication && !name.is_fifo() {
        bail!(UsageError("--content-deduplication is for FIFO queues: add --fifo".to_owned()));
    }
    let connection = context.connect().await?;
    let existing = connection.find_queue(&name).await?;
    let mut settings = settings_of(&args, &name);
    let mut dead_letter_queue = None;
    if let Some(reference) = &args.dlq {
        let reference = dead_letter_reference(reference.as_ref(), &name)?;
        let made_with = existing.is_none().then(|| Settings {
            is_fifo: name.is_fifo(),
            times: Times { retention: Some(DEAD_LETTER_RETENTION), ..Times::default() },
            // What is encrypted there is encrypted here.
            kms_key: args.kms.clone(),
            ..Settings::default()
        });
        let (arn, queue) = dead_letter_target(&connection, context, &reference, made_with).await?;
        settings.dead_letters = Some(RedrivePolicy { arn, max_receives: args.max_receives });
        dead_letter_queue = queue;
    }
    let url = match &existing {
        Some(open) => accept(open, &settings, context).await?,
        None => create(&connection, &name, &settings).await?,
    };
    context.output.result(
        || url.clone(),
        &json!({
            "url": url,
            "created": existing.is_none(),
            "deadLetterQueueUrl": dead_letter_queue.as_ref().map(Queue::url),
        }),
    )
}

fn full_name(name: &QueueName, fifo: bool) -> anyhow::Result<QueueName> {
    if fifo && !name.is_fifo() {
        return format!("{}.fifo", name.as_str()).parse().map_err(|refusal| UsageError(refusal).into());
    }
    Ok(name.clone())
}

fn settings_of(args: &Args, name: &QueueName) -> Settings {
    Settings {
        is_fifo: name.is_fifo(),
        content_deduplication: args.content_deduplication,
        times: args.times,
        dead_letters: None,
        kms_key: args.kms.clone(),
        tags: args.tags.iter().cloned().collect(),
    }
}

/// The dead-letter queue that was named, or `NAME-dlq`. One of a FIFO queue is FIFO, and the reverse.
fn dead_letter_reference(given: Option<&QueueReference>, name: &QueueName) -> anyhow::Result<QueueReference> {
    let reference = match given {
        Some(reference) => reference.clone(),
        None => name.with_suffix("-dlq").map(QueueReference::Named).map_err(UsageError)?,
    };
    if reference.name().ends_with(".fifo") != name.is_fifo() {
        let kind = if name.is_fifo() { "FIFO too: end its name in .fifo" } else { "no FIFO queue" };
        bail!(UsageError(format!("the dead-letter queue of {} must be {kind}", name.as_str())));
    }
    if reference.name() == name.as_str() {
        bail!(UsageError("a queue cannot be its own dead-letter queue".to_owned()));
    }
    Ok(reference)
}

/// The ARN of the dead-letter queue, and the queue where it had to be found. One named by its ARN is taken as it is.
async fn dead_letter_target(
    connection: &Connection,
    context: &Context,
    reference: &QueueReference,
    made_with: Option<Settings>,
) -> anyhow::Result<(String, Option<Queue>)> {
    let open = match reference {
        QueueReference::Known { .. } => connection.queue(reference).await?,
        QueueReference::Named(name) => match (connection.find_queue(name).await?, made_with) {
            (Some(open), _) => open,
            (None, Some(settings)) => {
                create(connection, name, &settings).await?;
                context
                    .output
                    .note(&format!("made the dead-letter queue {}, which keeps messages for 14d", name.as_str()));
                connection.queue(reference).await?
            }
            (None, None) => return Ok((name.as_str().to_owned(), None)),
        },
    };
    Ok((open.arn().await?, Some(open.queue)))
}

/// The URL of a queue that is there already, if it is as it should be.
async fn accept(open: &OpenQueue, settings: &Settings, context: &Context) -> anyhow::Result<String> {
    let actual = settings::read(open, !settings.tags.is_empty()).await?;
    let (differences, unasked) = settings.compare(&actual);
    if !differences.is_empty() {
        bail!("queue {} is there already with other settings, and was not changed: {}", open.queue, list(&differences));
    }
    let besides = if unasked.is_empty() { String::new() } else { format!("; not asked for: {}", list(&unasked)) };
    context.output.note(&format!("queue {} was there already with these settings{besides}", open.queue));
    Ok(open.queue.url().to_owned())
}

async fn create(connection: &Connection, name: &QueueName, settings: &Settings) -> anyhow::Result<String> {
    let request = connection
        .sqs()?
        .create_queue()
        .queue_name(name.as_str())
        .set_attributes(Some(settings.attributes()))
        .set_tags((!settings.tags.is_empty()).then(|| settings.tags.clone()));
    let answer = request.send().await.map_err(connection.refusal("sqs:CreateQueue", name.as_str()))?;
    answer.queue_url.context("AWS answered CreateQueue without a URL")
}
