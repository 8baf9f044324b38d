//! `sluice topic`: topics, who hears of them, and what is said.

mod create;
mod policy;
mod publish;
mod reference;
mod subscribe;

use crate::context::Context;

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Example:\n  sluice topic create alerts\n  sluice topic subscribe alerts --queue jobs --raw\n  \
                  sluice topic publish alerts --subject 'Disk full' --message 'db-1 has 2% left'"
)]
pub(crate) enum Command {
    /// Make a topic and print its ARN; making it again is a success.
    Create(create::Args),
    /// Let somebody hear of a topic: an address, a number, a queue or a function.
    Subscribe(subscribe::Args),
    /// Publish a message to a topic, or send an SMS.
    Publish(publish::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => create::run(args, context).await,
            Self::Subscribe(args) => subscribe::run(args, context).await,
            Self::Publish(args) => publish::run(args, context).await,
        }
    }
}
