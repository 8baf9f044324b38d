//! `sluice dead`: what lies dead, without taking any of it.

use anyhow::bail;
use serde_json::json;
use sluicegate::{
    clock::{Clock, SystemClock},
    events::Record,
};

use crate::{
    connection::{Connection, OpenQueue},
    context::Context,
    dead_letter::{Group, Look, groups},
    flow::Flow,
    message::age,
    output::Output,
    quantity::human,
    queue_reference::QueueReference,
    stop::Stop,
    usage::{Found, UsageError},
};

/// Groups the letters of dead-letter queues by kind and reason, and says of each group how many there are, how old the
/// newest and the oldest is, and one id. Without a queue: all dead-letter queues of the account, those that the redrive
/// policy of a queue or subscription names, or the setting of a function, mapping, rule or schedule.
///
/// Exits with 3 when a letter lies there, with 0 when none does, and with 1 when none was found and not everywhere could be
/// looked: for cron.
///
/// A look costs receives: each letter is received once and given back as soon as its queue has been looked at, and nobody
/// else sees it meanwhile. Its receive count is one higher then, which matters only where the dead-letter queue has one
/// itself. Letters that somebody holds are counted, and not seen.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  sluice dead\n  sluice dead jobs-dlq --output json\n  sluice dead --stack sluicegate-prod"
)]
pub(crate) struct Args {
    /// Dead-letter queues, by URL, ARN or name.
    #[arg(value_name = "QUEUE")]
    queues: Vec<QueueReference>,
    /// The dead-letter queues of this stack: those of the account whose names begin so, and a hyphen.
    #[arg(long, value_name = "NAME", conflicts_with = "queues")]
    stack: Option<String>,
    /// Look at no more letters of a queue than so many.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max: u32,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let (queues, mut problems) = queues(&args, &connection, context.output).await?;
    let mut stop = Stop::listen()?;
    let mut dead = 0;
    for open in &queues {
        match Look::at(open, usize::try_from(args.max).unwrap_or(usize::MAX), &mut stop).await {
            Ok(look) => {
                dead += look.total;
                show(open, &look, context)?;
            }
            Err(error) => {
                problems += 1;
                context.output.note(&format!("{}: {error:#}", open.queue));
            }
        }
        if stop.was_heard() {
            bail!("stopped: what was looked at is visible again");
        }
    }
    if dead > 0 {
        bail!(Found(format!("{dead} dead letters")));
    }
    if problems > 0 {
        bail!("no dead letters where it was possible to look; {problems} looks were refused, and there may be some");
    }
    context.output.note(&format!("no dead letters in {} queues", queues.len()));
    Ok(())
}

/// The queues to look at, and in how many places it could not be seen whether there are more.
async fn queues(args: &Args, connection: &Connection, output: Output) -> anyhow::Result<(Vec<OpenQueue>, usize)> {
    let mut found = Vec::new();
    for reference in &args.queues {
        found.push(connection.queue(reference).await?);
    }
    if !args.queues.is_empty() {
        return Ok((found, 0));
    }
    let prefix = args.stack.as_ref().map(|stack| format!("{stack}-"));
    let flow = Flow::discover(connection, &prefix.unwrap_or_default(), false).await;
    flow.problems.iter().for_each(|problem| output.note(&format!("not all may be found: {problem}")));
    for arn in flow.dead_letter_queues() {
        found.push(connection.queue(&arn.parse().map_err(anyhow::Error::msg)?).await?);
    }
    if found.is_empty() && flow.problems.is_empty() {
        bail!(UsageError("there is no dead-letter queue: name one".to_owned()));
    }
    Ok((found, flow.problems.len()))
}

fn show(open: &OpenQueue, look: &Look, context: &Context) -> anyhow::Result<()> {
    let output = context.output;
    let now = SystemClock.now();
    for Group { kind, reason, letters } in groups(&look.letters) {
        let (Some(oldest), Some(newest)) = (letters.first(), letters.last()) else { continue };
        let sent = |record: &Record| record.sent_at.map(|at| at.to_rfc3339());
        let value = json!({
            "queue": open.queue.name(), "kind": kind, "reason": reason, "count": letters.len(),
            "newest": sent(&newest.record), "oldest": sent(&oldest.record), "exampleId": oldest.record.message_id,
        });
        let text = || {
            let age = |record| age(record, now).map_or_else(|| "?".to_owned(), human);
            let [reason, id] = [&reason, &oldest.record.message_id].map(|part| output.shown(part));
            let (newest, oldest, count) = (age(&newest.record), age(&oldest.record), letters.len());
            format!("{:<32}  {kind:<12}  {count:>6}  {newest:>8} to {oldest:<8}  {id}  {reason}", open.queue.name())
        };
        output.result(text, &value)?;
    }
    let unseen = look.total.saturating_sub(look.letters.len() as u64);
    if unseen > 0 {
        output.note(&format!("{}: {unseen} more are there, held by somebody or beyond --max", open.queue));
    }
    if look.kept > 0 {
        output.note(&format!("{}: {} could not be given back: visible again within minutes", open.queue, look.kept));
    }
    Ok(())
}
