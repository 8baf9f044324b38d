//! `sluice redrive`: dead letters back to where they came from.
//!
//! | module | what it settles |
//! |---|---|
//! | `home` | where each goes, and by whose word |
//! | `mover` | receive, send or invoke, delete what was taken, give the rest back |
//! | `summary` | what became of the letters, and how it is said |
//! | `server` | the service's own move task |

mod home;
mod mover;
mod server;
mod summary;

use sluicegate::delivery::Invoke;

use crate::context::Context;
use crate::{dead_letter::Kind, filter::Filter, quantity, queue_reference::QueueReference, usage::UsageError};

/// Each letter goes home by the way of its kind (--dry-run says which): to the queue that SQS moved it here from, or that
/// its note sluicegate.source names; to the function that failed it, which is invoked and must succeed; to the subscriber,
/// or to the target of the rule or schedule, that could not be reached. Records that a letter only points at are read from
/// their stream.
///
/// A letter is data, not an order: what it says is believed only if the target's own configuration names this queue. --to
/// and --function are your word instead. A failed dispatch of the poller is settled by its queue, where the messages
/// stayed; a tick of a schedule is expired when the next has come: --delete-settled deletes both.
///
/// Body, attributes, message group and trace arrive as they were sent. The attributes that made it a dead letter
/// (sluicegate.reason, .source, .receives) are taken off, and sluicegate.redriven-from is put on where there is room. A
/// message is deleted here only when the queue has taken it and the MD5 of what it took fits, or when the function has
/// answered without an error and has named no record as failed. Each is looked at once: what fails again and comes back
/// while the command runs stays. What does not match is looked at (its receive count rises) and visible again when the
/// command ends.
///
/// Eight calls of a kind are under way at once; one where a FIFO queue, --rate or --max asks for it, and one invocation
/// after the other.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "On a FIFO queue a message can be reached only through those before it in its group: what does not \
                  match holds back what is more than ten messages behind it, and what cannot go home all that is.\n\n\
                  With --output json each message is a line with its old id, its new one and where it went, and the last \
                  line is the summary.\n\n\
                  Exits with 1 when a letter stays that is not settled.\n\n\
                  Example:\n  sluice redrive jobs-dlq --dry-run\n  \
                  sluice redrive jobs-dlq --match '\"name\": \"Ada' --rate 50/s\n  \
                  sluice redrive jobs-dlq --reason 'timed out' --older-than 1h --to jobs-canary --max 10 --keep\n  \
                  sluice redrive invocations-dead --kind invocation --kind dispatch --delete-settled"
)]
#[allow(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub(crate) struct Args {
    /// The dead-letter queue, by URL, ARN or name.
    dlq: QueueReference,
    /// Where the messages go, as they are.
    #[arg(long, value_name = "QUEUE")]
    to: Option<QueueReference>,
    /// The function that is invoked with what they hold, by name or ARN.
    #[arg(long, value_name = "NAME", conflicts_with = "to")]
    function: Option<String>,
    /// Only letters of this kind; may be given again.
    #[arg(long = "kind", value_enum, value_name = "KIND", help_heading = "Only messages")]
    kinds: Vec<Kind>,
    /// Hand events to Lambda without waiting for what becomes of them: what fails again comes back here by itself.
    #[arg(long = "async")]
    is_async: bool,
    /// Delete what nobody waits for: settled by its queue, or expired.
    #[arg(long, conflicts_with = "keep")]
    delete_settled: bool,
    /// No more than so many.
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    max: Option<u64>,
    /// No faster than so many messages a second.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<u32>,
    /// Only say what would be moved.
    #[arg(long)]
    dry_run: bool,
    /// Send copies: delete nothing here.
    #[arg(long, conflicts_with = "dry_run")]
    keep: bool,
    /// Let SQS itself move all messages (`StartMessageMoveTask`), and follow it. They go to --to, or to the one queue that
    /// has this as its dead-letter queue; attributes stay as they are.
    #[arg(long, conflicts_with_all = ["max", "dry_run", "keep", "function", "is_async", "delete_settled"])]
    server: bool,
    /// End the move that SQS is at (--server).
    #[arg(long, requires = "server", conflicts_with_all = ["to", "rate"])]
    cancel: bool,
    #[command(flatten)]
    filter: Filter,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if args.server && !(args.filter.takes_all() && args.kinds.is_empty()) {
        anyhow::bail!(UsageError("SQS moves all messages: leave --server out to choose".to_owned()));
    }
    let connection = context.connect().await?;
    let dlq = connection.queue(&args.dlq).await?;
    if args.cancel {
        return server::cancel(&dlq, context.output).await;
    }
    let to = match &args.to {
        Some(to) => Some(connection.queue(to).await?),
        None => None,
    };
    if to.as_ref().is_some_and(|to| to.queue.url() == dlq.queue.url()) {
        anyhow::bail!(UsageError("--to is the dead-letter queue itself".to_owned()));
    }
    if args.server {
        return server::run(&dlq, to, args.rate, context.output).await;
    }
    let function = match &args.function {
        Some(function) => Some(home::Function::find(&dlq.connection, function).await?),
        None => None,
    };
    let limits = mover::Limits {
        kinds: args.kinds,
        max: args.max,
        rate: args.rate,
        dry_run: args.dry_run,
        keep: args.keep,
        invoke: if args.is_async { Invoke::Event } else { Invoke::RequestResponse },
        delete_settled: args.delete_settled,
    };
    Box::pin(mover::run(&dlq, to, function, &args.filter, limits, context.output)).await
}

/// `50/s` or `50`: SQS's own tasks take 1 to 500.
fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    number.filter(|rate| (1..=500).contains(rate)).ok_or_else(|| "it is 1/s to 500/s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_messages_a_second() {
        assert_eq!((rate("50/s"), rate("1"), rate("500/s")), (Ok(50), Ok(1), Ok(500)));
        assert!(["0/s", "501/s", "50/m", "", "-1"].iter().all(|text| rate(text).is_err()));
    }
}
