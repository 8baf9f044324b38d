//! `sluice stream`: records for Kinesis and Firehose.

mod port;
mod put;
mod record;
mod reference;

use crate::context::Context;

#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  sluice stream put clicks --file clicks.jsonl")]
pub(crate) enum Command {
    /// Put JSON lines on a Kinesis data stream, or on a Firehose delivery stream.
    Put(put::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Put(args) => put::run(args, context).await,
        }
    }
}
