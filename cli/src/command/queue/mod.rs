//! `sluice queue`: making, listing, watching, emptying and deleting queues.

mod list;

use super::Context;

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Example:\n  sluice queue create jobs --dlq --max-receives 5\n  sluice queue status jobs --watch"
)]
pub(crate) enum Command {
    /// List the queues of this account and region.
    List(list::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List(args) => list::run(args, context).await,
        }
    }
}
