//! `sluice queue`: making, listing, changing, watching, emptying and deleting queues.

mod create;
mod delete;
mod list;
mod purge;
mod set;
mod settings;
mod show;
mod status;

use crate::context::Context;
use crate::{connection::OpenQueue, counters, output::Output};

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Example:\n  sluice queue create jobs --dlq --max-receives 5\n  sluice queue status jobs --watch"
)]
pub(crate) enum Command {
    /// Make a queue, with its dead-letter queue if wanted, and print its URL.
    Create(Box<create::Args>),
    /// List the queues of this account and region.
    List(list::Args),
    /// Say all that is known of a queue: settings, dead letters, encryption, policy, tags.
    Show(show::Args),
    /// Change a queue's settings; what is not named stays.
    Set(Box<set::Args>),
    /// Say how much is in queues: once, or watched.
    Status(status::Args),
    /// Delete all messages of a queue.
    Purge(purge::Args),
    /// Delete a queue and all that is in it.
    Delete(delete::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => create::run(*args, context).await,
            Self::List(args) => list::run(args, context).await,
            Self::Show(args) => show::run(args, context).await,
            Self::Set(args) => set::run(*args, context).await,
            Self::Status(args) => status::run(args, context).await,
            Self::Purge(args) => purge::run(args, context).await,
            Self::Delete(args) => delete::run(args, context).await,
        }
    }
}

/// Asks before messages are destroyed, saying how many. `deed` is what would be done, as in "purge".
async fn confirm(output: Output, open: &OpenQueue, deed: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !output.can_ask() {
        return output.confirm(&format!("{deed} queue {}", open.place(None)));
    }
    let reading = counters::read(open).await?;
    let (place, count) = (open.place(reading.arn.as_deref()), reading.counters.total());
    output.confirm(&format!("{deed} queue {place}, with about {count} messages in it"))
}
