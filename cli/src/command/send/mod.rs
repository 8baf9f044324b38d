//! `sluice send`: messages to a queue, in full batches or one by one at a pace.

mod report;

use std::{collections::BTreeMap, ops::ControlFlow, path::PathBuf, sync::Arc, time::Duration};

use anyhow::bail;
use aws_sdk_sqs::types::QueueAttributeName;
use sluicegate::{delivery::MAX_BATCH_BYTES, events::MessageAttribute};
use tokio::sync::mpsc;

use self::report::Sending;
use crate::{
    attribute::attribute,
    batch::{Flow, Refused},
    connection::OpenQueue,
    context::Context,
    input::{self, Piece, Place, Source, Split},
    message::Written,
    outgoing::{LIMITS, MAX_ATTRIBUTES, Outgoing, SqsPort, TRIES},
    quantity::{duration_within, whole_seconds_within},
    queue_reference::QueueReference,
    usage::UsageError,
};

/// Calls under way at a time. A FIFO queue has one, or the order would be left to chance.
const CALLS: usize = 8;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["body", "file", "stdin", "messages"]),
    after_help = "JSON is a message a value, an array a message an element; anything else is one message. What begins as \
                  JSON and is none is refused with its line and column; of a file nothing is sent then. Stdin is sent \
                  while it is read: `tail -f` works, and when told to stop, what was read by then is sent. The messages' \
                  ids are printed, in the order sent; nobody need read them.\n\n\
                  Example:\n  sluice send jobs --body '{\"name\": \"Ada\"}' --attribute JobType=NewDonor\n  \
                  sluice send jobs --file donors.json --every 1s --delay 10s\n  \
                  sluice send orders.fifo --group customer-7 - < orders.jsonl\n  \
                  tail -f app.log | sluice send lines --split lines -\n  \
                  sluice receive jobs --max 1000 --output json --delete | sluice send copies --messages -"
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
    /// Messages in JSON, as `receive`, `consume` and `redrive` print them with --output json, each with its own attributes,
    /// group, deduplication id and trace; `-` is stdin. On a FIFO queue one without a deduplication id has its message id.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["attributes", "group", "dedup", "repeat"])]
    messages: Option<PathBuf>,
    /// How a file is cut into messages.
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["body", "messages"])]
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
    #[arg(long = "attribute", short = 'a', value_name = "NAME=VALUE", value_parser = attribute)]
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
    let recipe = Recipe { template: template(&args)?, imports: args.messages.is_some(), to_fifo: args.is_to_fifo() };
    // Nothing is sent of a file that is damaged.
    let total = match (&args.body, source(&args)) {
        (Some(body), _) => {
            let refusal = |refused: Refused| UsageError(format!("the message cannot be sent: {}", refused.reason));
            recipe.message(piece_of(body)).map_err(refusal)?;
            Some(u64::from(args.repeat))
        }
        (None, source) if source.is_stream() => None,
        (None, source) => Some(checked(&source, args.split, &recipe)? * u64::from(args.repeat)),
    };
    if args.dedup.is_some() && total.is_some_and(|total| total > 1) {
        let total = total.unwrap_or_default();
        bail!(UsageError(format!("--dedup is of one message: of these {total} all but the first would be dropped")));
    }
    if total == Some(0) {
        context.output.note("there is nothing to send: the input is empty");
        return Ok(());
    }
    let open = context.connect().await?.queue(&args.queue).await?;
    let is_fifo = open.queue.is_fifo();
    let needs_ids = is_fifo && args.dedup.is_none() && !deduplicates_by_content(&open).await;
    let make = |piece| {
        let mut made = recipe.message(piece)?;
        if let Some(message) = made.as_mut().filter(|message| needs_ids && message.deduplication_id.is_none()) {
            message.deduplication_id = Some(format!("{:032x}", fastrand::u128(..)));
        }
        Ok(made)
    };
    let pieces = match args.body {
        Some(body) => repeated(piece_of(&body), args.repeat),
        None => input::pieces(vec![source(&args)], args.split, MAX_BATCH_BYTES, args.repeat),
    };
    let calls = if is_fifo || args.every.is_some() { 1 } else { CALLS };
    let flow = Flow { limits: LIMITS, calls, tries: TRIES, every: args.every, keeps_order: is_fifo };
    let mut sending = Sending::new(context.output, total);
    let outcome = flow.run(&SqsPort(&open), pieces, make, &mut sending).await;
    sending.finish(outcome)
}

fn source(args: &Args) -> Source {
    args.file.as_deref().or(args.messages.as_deref()).map_or(Source::STDIN, Source::new)
}

fn piece_of(body: &str) -> Piece {
    Piece { place: Place { file: None, line: 1 }, text: Some(body.as_bytes().to_vec()), is_json: false }
}

fn repeated(piece: Piece, times: u32) -> mpsc::Receiver<anyhow::Result<Piece>> {
    let (sender, pieces) = mpsc::channel(1);
    tokio::spawn(async move {
        for _ in 0..times {
            if sender.send(Ok(piece.clone())).await.is_err() {
                break;
            }
        }
    });
    pieces
}

/// How many messages are in a file, if all of them can be sent.
fn checked(source: &Source, split: Split, recipe: &Recipe) -> anyhow::Result<u64> {
    let (mut count, mut refused) = (0, None);
    let read = source.read(split, MAX_BATCH_BYTES, &mut |piece| match recipe.message(piece) {
        Ok(made) => {
            count += u64::from(made.is_some());
            ControlFlow::Continue(())
        }
        Err(refusal) => {
            refused = Some(refusal);
            ControlFlow::Break(())
        }
    });
    match (refused, read) {
        (Some(refused), _) => Err(refused.into_error("message").context("nothing was sent")),
        (None, read) => read.map(|()| count).map_err(|error| error.context("nothing was sent")),
    }
}

/// What can be told from the arguments alone is told before anything is read or sent.
fn check_together(args: &Args) -> anyhow::Result<()> {
    let is_fifo = args.is_to_fifo();
    let refusal = if is_fifo && args.group.is_none() && args.messages.is_none() {
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

/// What all messages have in common.
fn template(args: &Args) -> anyhow::Result<Outgoing> {
    let attributes: BTreeMap<_, _> = args.attributes.iter().cloned().collect();
    if attributes.len() < args.attributes.len() {
        bail!(UsageError("an attribute is given twice".to_owned()));
    }
    Ok(Outgoing {
        attributes: Arc::new(attributes),
        group_id: args.group.clone(),
        deduplication_id: args.dedup.clone(),
        delay: args.delay,
        ..Outgoing::default()
    })
}

/// How pieces of input become messages.
struct Recipe {
    template: Outgoing,
    /// Each is a whole message, and no body.
    imports: bool,
    to_fifo: bool,
}

impl Recipe {
    /// The message of a piece, within SQS's limits. A JSON string is sent as its text, any other JSON as it is written.
    fn message(&self, Piece { place, text, is_json }: Piece) -> Result<Option<Outgoing>, Refused> {
        let made = || {
            let text = text.ok_or("it is longer than 1 MiB, and SQS takes no more")?;
            let text = String::from_utf8(text).map_err(|problem| format!("it is no text in UTF-8: {problem}"))?;
            let message = if self.imports {
                // The last line of what `consume` and `redrive` print.
                if text.starts_with(r#"{"summary":"#) {
                    return Ok(None);
                }
                let written: Written = serde_json::from_str(&text)
                    .map_err(|problem| format!("it is no message as --output json prints them: {problem}"))?;
                Outgoing { delay: self.template.delay, ..written.outgoing(self.to_fifo)? }
            } else {
                let string = is_json.then(|| serde_json::from_str::<String>(&text).ok()).flatten();
                Outgoing { body: string.unwrap_or(text).into(), ..self.template.clone() }
            };
            message.check()?;
            Ok(Some(message))
        };
        made().map_err(|reason| Refused { place, reason })
    }
}

impl Args {
    fn is_to_fifo(&self) -> bool {
        self.queue.name().ends_with(".fifo")
    }
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
