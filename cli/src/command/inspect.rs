//! `sluice inspect`: not built yet.

use super::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice inspect events/s3/object-created.json")]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<()> {
    anyhow::bail!("this command is not built yet")
}
