//! `sluice receive`: looks at messages, or takes them.

mod gather;

use std::time::Duration;

use anyhow::bail;
use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{FailedEntry, MAX_ENTRIES, SourceQueue, VisibilityChange},
    events::Record,
};

use self::gather::{Settings, gather, receive};
use crate::{
    connection::OpenQueue,
    context::Context,
    filter::Filter,
    message,
    output::Output,
    quantity::{human, messages, whole_seconds_within},
    queue_reference::QueueReference,
    stop::Stop,
};

/// While messages are gathered to be looked at, none may come a second time.
const PEEK_VISIBILITY: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is printed with --output json, `sluice send --messages` takes. Without --peek or --delete the messages stay invisible for the queue's visibility timeout, and come back \
                  then. Every receive counts: a message that was looked at more often than its queue allows goes to \
                  the dead-letter queue.\n\n\
                  Example:\n  sluice receive jobs --max 3 --peek\n  sluice receive jobs --delete --output json >> taken.jsonl\n  \
                  sluice receive jobs-dlq --peek --reason 'timed out' --attribute JobType=^New"
)]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
    /// At most so many messages.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120_000))]
    max: u32,
    /// How long to wait for the first message: 0s to 20s.
    #[arg(long, default_value = "1s", value_parser = whole_seconds_within(0..=20))]
    wait: Duration,
    /// How long the messages stay invisible: 0s to 12h, instead of the queue's own time.
    #[arg(long, conflicts_with = "peek", value_parser = whole_seconds_within(0..=43_200))]
    visibility: Option<Duration>,
    /// Delete each message after it was printed.
    #[arg(long, conflicts_with = "peek")]
    delete: bool,
    /// Only look: put everything back at once. Its receive counts are one higher then.
    #[arg(long)]
    peek: bool,
    #[command(flatten)]
    filter: Filter,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let open = context.connect().await?.queue(&args.queue).await?;
    let mut stop = Stop::listen()?;
    let settings = Settings {
        max: usize::try_from(args.max).unwrap_or(usize::MAX),
        wait: args.wait,
        visibility: if args.peek { Some(PEEK_VISIBILITY) } else { args.visibility },
    };
    let count = if args.peek {
        peek(&open, settings, &args.filter, &mut stop, context.output).await?
    } else {
        take(&open, settings, &args.filter, args.delete, &mut stop, context.output).await?
    };
    if count == 0 {
        let what = if args.filter.takes_all() { "no message was visible" } else { "no message that fits was visible" };
        let hidden = "messages in flight or delayed do not show";
        context.output.note(&format!("{what} in {} ({hidden})", open.queue));
    }
    Ok(())
}

/// Gathers everything before anything is put back, so that no message comes twice; what was gathered is put back
/// whatever happens.
async fn peek(
    open: &OpenQueue,
    settings: Settings,
    filter: &Filter,
    stop: &mut Stop,
    output: Output,
) -> anyhow::Result<usize> {
    let mut records = Vec::new();
    let now = SystemClock.now();
    let port = async |max, wait| receive(open, max, wait, settings.visibility).await;
    let keep = async |batch: Vec<Record>| {
        let wanted = batch.iter().filter(|record| filter.takes(record, now)).count();
        records.extend(batch);
        Ok(wanted)
    };
    let gathered = tokio::select! {
        gathered = gather(port, settings, keep) => gathered,
        () = stop.requested() => Ok(()),
    };
    let wanted: Vec<&Record> = records.iter().filter(|record| filter.takes(record, now)).collect();
    let printed = print_all(&wanted, output).await;
    let kept = put_back(open, &records).await;
    gathered.and(printed)?;
    if kept > 0 {
        output.note(&format!(
            "{} could not be put back: visible again after {}",
            messages(kept),
            human(PEEK_VISIBILITY)
        ));
    }
    if !records.is_empty() {
        output.note(&format!("put back {}; each receive count is one higher now", messages(records.len() - kept)));
    }
    Ok(wanted.len())
}

/// How many could not be put back.
async fn put_back(open: &OpenQueue, records: &[Record]) -> usize {
    let Ok(queue) = open.adapter() else { return records.len() };
    let mut kept = 0;
    for records in records.chunks(MAX_ENTRIES) {
        let changes: Vec<VisibilityChange<'_>> = records
            .iter()
            .map(|record| VisibilityChange { receipt_handle: &record.receipt_handle, timeout: Duration::ZERO })
            .collect();
        kept += queue.change_visibility(&open.queue, &changes).await.map_or(records.len(), |failed| failed.len());
    }
    kept
}

/// Prints messages as they come; what is to be deleted is deleted only after it was printed. What does not fit is put back.
async fn take(
    open: &OpenQueue,
    settings: Settings,
    filter: &Filter,
    delete: bool,
    stop: &mut Stop,
    output: Output,
) -> anyhow::Result<usize> {
    let (mut count, mut others) = (0, Vec::new());
    let port = async |max, wait| receive(open, max, wait, settings.visibility).await;
    let settle = async |batch: Vec<Record>| {
        let now = SystemClock.now();
        let (wanted, unwanted): (Vec<Record>, Vec<Record>) =
            batch.into_iter().partition(|record| filter.takes(record, now));
        others.extend(unwanted);
        print_all(&wanted.iter().collect::<Vec<_>>(), output).await?;
        count += wanted.len();
        if delete && !wanted.is_empty() {
            delete_all(open, &wanted, output).await?;
        }
        Ok(wanted.len())
    };
    let taken = tokio::select! {
        taken = gather(port, settings, settle) => taken,
        () = stop.requested() => bail!("stopped: messages in hand become visible again after their visibility timeout"),
    };
    let kept = put_back(open, &others).await;
    if kept > 0 {
        output.note(&format!("{} could not be put back", messages(kept)));
    }
    taken.map(|()| count)
}

async fn delete_all(open: &OpenQueue, records: &[Record], output: Output) -> anyhow::Result<()> {
    let handles: Vec<&str> = records.iter().map(|record| record.receipt_handle.as_str()).collect();
    let failed = open.adapter()?.delete(&open.queue, &handles).await?;
    for FailedEntry { index, failure } in &failed {
        output.note(&format!("message {} was not deleted: {failure}", records[*index].message_id));
    }
    if failed.is_empty() { Ok(()) } else { bail!("{} printed and not deleted", messages(failed.len())) }
}

/// Waits until they are printed; fails when they are not.
async fn print_all(records: &[&Record], output: Output) -> anyhow::Result<()> {
    let now = SystemClock.now();
    for record in records {
        output.deliver(|| message::text(record, now, output), &message::json(record, now)).await?;
    }
    Ok(())
}
