//! `sluice topic`: not built yet.

use super::Context;

#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  sluice topic create alerts")]
pub(crate) enum Command {}

impl Command {
    #[allow(clippy::unused_async, reason = "not built yet")]
    pub(crate) async fn run(self, _context: &Context) -> anyhow::Result<()> {
        match self {}
    }
}
