//! `sluice cost`: not built yet.

use super::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice cost")]
pub(crate) struct Args {}

#[allow(clippy::unused_async, reason = "not built yet")]
pub(crate) async fn run(_args: Args, _context: &Context) -> anyhow::Result<()> {
    anyhow::bail!("this command is not built yet")
}
