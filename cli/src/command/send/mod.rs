//! `sluice send`: messages to a queue, in full batches or one by one at a pace.

pub(in crate::command) mod attribute;
mod run;
mod source;

use std::{collections::BTreeMap, fs, io::Read as _, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use aws_sdk_sqs::types::QueueAttributeName;
use sluicegate::events::MessageAttribute;

use self::source::Split;
use crate::{
    arguments::UsageError,
    command::Context,
    connection::OpenQueue,
    outgoing::{MAX_ATTRIBUTES, Outgoing},
    quantity::{duration_within, whole_seconds_within},
    queue_reference::QueueReference,
};

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["body", "file", "stdin"]),
    after_help = "A file that is a JSON array sends a message an element, JSON lines a message a line, anything else one \
                  message. The messages' ids are printed, in the order sent.\n\n\
                  Example:\n  sluice send jobs --body '{\"name\": \"Ada\"}' --attribute JobType=NewDonor\n  \
                  sluice send jobs --file donors.json --every 1s --delay 10s\n  \
                  sluice send orders.fifo --group customer-7 - < orders.jsonl"
)]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
    /// One message with this body.
    #[arg(long, short, value_name = "TEXT")]
    body: Option<String>,
    /// The messages in this file; `-` is stdin.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// `-`: the messages on stdin.
    #[arg(value_name = "-", value_parser = ["-"])]
    stdin: Option<String>,
    /// How a file is cut into messages.
    #[arg(long, value_enum, default_value_t, conflicts_with = "body")]
    split: Split,
    /// How long each message stays invisible: 0s to 15m. FIFO queues have only the queue's own delay.
    #[arg(long, value_parser = whole_seconds_within(0..=900))]
    delay: Option<Duration>,
    /// Send one message at a time, this far apart, instead of full batches.
    #[arg(long, value_parser = duration_within(0..=86_400))]
    every: Option<Duration>,
    /// Send everything so many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// An attribute of each message, up to ten: NAME=VALUE, or NAME:Number=5, NAME:Binary=BASE64.
    #[arg(long = "attribute", short = 'a', value_name = "NAME=VALUE", value_parser = attribute::attribute)]
    attributes: Vec<(String, MessageAttribute)>,
    /// The message group. FIFO queues need one.
    #[arg(long, short, value_parser = token)]
    group: Option<String>,
    /// The deduplication id of the one message (FIFO queues). Without it each message gets one of its own, unless the
    /// queue deduplicates by content.
    #[arg(long, value_parser = token)]
    dedup: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    check_together(&args)?;
    let mut messages = messages(&args)?;
    if messages.is_empty() {
        context.output.note("there is nothing to send: the input is empty");
        return Ok(());
    }
    let open = context.connect().await?.queue(&args.queue).await?;
    if open.queue.is_fifo() && args.dedup.is_none() && !deduplicates_by_content(&open).await {
        for message in &mut messages {
            message.deduplication_id = Some(format!("{:032x}", fastrand::u128(..)));
        }
    }
    match args.every {
        Some(every) => run::paced(&open, &messages, every, context.output).await,
        None => run::batched(&open, &messages, context.output).await,
    }
}

/// What can be told from the arguments alone is told before anything is read or sent.
fn check_together(args: &Args) -> anyhow::Result<()> {
    let is_fifo = args.queue.name().ends_with(".fifo");
    let refusal = if is_fifo && args.group.is_none() {
        "a FIFO queue needs a message group: add --group"
    } else if is_fifo && args.delay.is_some() {
        "a FIFO queue has only the queue's own delay: leave --delay out"
    } else if !is_fifo && args.dedup.is_some() {
        "only FIFO queues drop duplicates: leave --dedup out"
    } else if args.attributes.len() > MAX_ATTRIBUTES {
        "a message has at most ten attributes"
    } else {
        return Ok(());
    };
    bail!(UsageError(refusal.to_owned()))
}

/// All messages, each within SQS's limits.
fn messages(args: &Args) -> anyhow::Result<Vec<Outgoing>> {
    let bodies = match &args.body {
        Some(body) => vec![body.clone()],
        None => source::bodies(&read(args)?, args.split).map_err(anyhow::Error::msg)?,
    };
    let attributes = Arc::new(args.attributes.iter().cloned().collect::<BTreeMap<_, _>>());
    if attributes.len() < args.attributes.len() {
        bail!(UsageError("an attribute is given twice".to_owned()));
    }
    let message = |body: String| Outgoing {
        body: body.into(),
        attributes: attributes.clone(),
        group_id: args.group.clone(),
        deduplication_id: args.dedup.clone(),
        delay: args.delay,
    };
    let once: Vec<Outgoing> = bodies.into_iter().map(message).collect();
    for (number, message) in (1..).zip(&once) {
        if let Err(refusal) = message.check() {
            if args.body.is_some() {
                bail!(UsageError(format!("the message cannot be sent: {refusal}")));
            }
            bail!("nothing was sent: message {number} of {} cannot be: {refusal}", once.len());
        }
    }
    let all: Vec<Outgoing> = (0..args.repeat).flat_map(|_| once.iter().cloned()).collect();
    if args.dedup.is_some() && all.len() > 1 {
        bail!(UsageError(format!(
            "--dedup is of one message: of these {} all but the first would be dropped",
            all.len()
        )));
    }
    Ok(all)
}

fn read(args: &Args) -> anyhow::Result<String> {
    if let Some(path) = args.file.as_deref().filter(|path| path.as_os_str() != "-") {
        return fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?;
    Ok(text)
}

/// Whether the queue makes deduplication ids itself. Where it may not be asked, it is believed to: AWS then says what is
/// missing.
async fn deduplicates_by_content(open: &OpenQueue) -> bool {
    let name = QueueAttributeName::ContentBasedDeduplication;
    let request = open.sqs.get_queue_attributes().queue_url(open.queue.url()).attribute_names(name.clone());
    match request.send().await {
        Ok(answer) => answer.attributes.is_some_and(|attributes| attributes.get(&name).is_some_and(|on| on == "true")),
        Err(_) => true,
    }
}

/// A group or deduplication id: 1 to 128 letters, digits and punctuation.
fn token(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation();
    if (1..=128).contains(&text.len()) && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err("it has 1 to 128 letters, digits and punctuation marks".to_owned())
}
