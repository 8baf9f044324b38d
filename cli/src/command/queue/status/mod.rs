//! `sluice queue status`: how much is in queues, once or watched.

mod ticks;
mod watch;

use std::time::Duration;

use anyhow::bail;
use serde::Serialize;
use sluicegate::clock::{Clock, SystemClock};

use crate::{
    connection::OpenQueue,
    context::Context,
    counters::{self, Counters, DeadLetters},
    monitor::age::{self, Age},
    quantity::duration_within,
    queue_reference::QueueReference,
    usage::UsageError,
};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The counters are SQS's own: approximate, and settled about a minute after traffic ends. The age of the \
                  oldest message is CloudWatch's, a minute or more late; it leaves out messages received three times \
                  or more.\n\n\
                  --watch is a live screen on a terminal. Into a pipe it prints three lines and a blank one a tick, or \
                  with --output json one object a queue and tick.\n\n\
                  Example:\n  sluice queue status jobs jobs-dlq\n  sluice queue status jobs --watch\n  \
                  sluice queue status jobs --watch --output json | jq .visible"
)]
pub(crate) struct Args {
    /// The queues: URLs, ARNs or names.
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<QueueReference>,
    /// Look again and again, until q, Ctrl-C or SIGTERM.
    #[arg(long, short)]
    watch: bool,
    /// How often to look: 200ms to 1h. Each look is one request a queue.
    #[arg(long, requires = "watch", default_value = "1s", value_parser = duration_within(0..=3_600))]
    every: Duration,
}

/// All that is known of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    queue: String,
    #[serde(flatten)]
    counters: Counters,
    oldest_message: Age,
    dead_letters: DeadLetters,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let output = context.output;
    if args.every < Duration::from_millis(200) {
        bail!(UsageError("--every must be from 200ms to 1h".to_owned()));
    }
    let live = args.watch && output.is_terminal() && !output.is_json();
    if args.watch && !live && !output.is_json() && args.queues.len() > 1 {
        bail!(UsageError("into a pipe, --watch prints one queue's lines: name one, or add --output json".to_owned()));
    }
    let connection = context.connect().await?;
    let mut queues = Vec::new();
    for reference in &args.queues {
        queues.push(connection.queue(reference).await?);
    }
    if live {
        return watch::run(queues, args.every).await;
    }
    if args.watch {
        return ticks::run(&queues, args.every, output).await;
    }
    let mut statuses = Vec::new();
    for open in &queues {
        statuses.push(read(open).await?);
    }
    if output.is_json() {
        return statuses.iter().try_for_each(|status| output.json(status));
    }
    output.line(&table(&statuses));
    for status in &statuses {
        if let Some(source) = status.oldest_message.source() {
            let age = status.oldest_message.short();
            output.note(&format!("{}: the age of the oldest message is {age} ({source})", status.queue));
        }
        if let DeadLetters::Unknown { reason, .. } = &status.dead_letters {
            output.note(&format!("{}: {reason}", status.queue));
        }
    }
    Ok(())
}

async fn read(open: &OpenQueue) -> anyhow::Result<Status> {
    let reading = counters::read(open).await?;
    let dead_letters = counters::read_dead_letters(open, &reading).await;
    let oldest_message = age::read(open, reading.counters, SystemClock.now()).await;
    Ok(Status { queue: open.queue.name().to_owned(), counters: reading.counters, oldest_message, dead_letters })
}

/// One line a queue under a line of headings, in columns.
fn table(statuses: &[Status]) -> String {
    let mut rows = vec![["QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED", "OLDEST", "DEAD LETTERS"].map(ToOwned::to_owned)];
    rows.extend(statuses.iter().map(|status| {
        let Counters { visible, in_flight, delayed } = status.counters;
        let counts = [visible, in_flight, delayed].map(|count| count.to_string());
        let [visible, in_flight, delayed] = counts;
        let dead_letters = match &status.dead_letters {
            DeadLetters::NoQueue => "-".to_owned(),
            DeadLetters::Counted { queue, messages } => format!("{messages} in {queue}"),
            DeadLetters::Unknown { queue, .. } => format!("unknown in {queue}"),
        };
        [status.queue.clone(), visible, in_flight, delayed, status.oldest_message.short(), dead_letters]
    }));
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; 6]| {
        let [queue, visible, in_flight, delayed, oldest, dead_letters] = row;
        let [queue_w, visible_w, in_flight_w, delayed_w, oldest_w, _] = widths;
        format!(
            "{queue:<queue_w$}  {visible:>visible_w$}  {in_flight:>in_flight_w$}  {delayed:>delayed_w$}  \
             {oldest:>oldest_w$}  {dead_letters}"
        )
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_a_queue_in_columns() {
        let jobs = Status {
            queue: "jobs".to_owned(),
            counters: Counters { visible: 1_204, in_flight: 3, delayed: 0 },
            oldest_message: Age::Measured { seconds: 252, measured_seconds_ago: 70 },
            dead_letters: DeadLetters::Counted { queue: "jobs-dlq".to_owned(), messages: 2 },
        };
        let idle = Status {
            queue: "a-longer-name".to_owned(),
            counters: Counters::default(),
            oldest_message: Age::Empty,
            dead_letters: DeadLetters::NoQueue,
        };
        let expected = "\
QUEUE          VISIBLE  IN FLIGHT  DELAYED  OLDEST  DEAD LETTERS
jobs              1204          3        0  4m 12s  2 in jobs-dlq
a-longer-name        0          0        0       -  -";
        assert_eq!(table(&[jobs, idle]), expected);
    }
}
