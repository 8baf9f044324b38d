//! `sluice topic`: topics, who hears of them, and what is said.

mod create;
mod delete;
mod list;
mod policy;
mod publish;
mod reference;
mod subscribe;
mod subscriber;
mod tail;
mod unsubscribe;

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
    /// List the topics of this account and region, and who hears of them.
    List(list::Args),
    /// Let somebody hear of a topic no more.
    Unsubscribe(unsubscribe::Args),
    /// Print what is published, as it is published.
    Tail(tail::Args),
    /// Delete a topic and the subscriptions to it.
    Delete(delete::Args),
    /// Publish a message to a topic, or send an SMS.
    Publish(publish::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => create::run(args, context).await,
            Self::Subscribe(args) => subscribe::run(args, context).await,
            Self::List(args) => list::run(args, context).await,
            Self::Unsubscribe(args) => unsubscribe::run(args, context).await,
            Self::Tail(args) => Box::pin(tail::run(args, context)).await,
            Self::Delete(args) => delete::run(args, context).await,
            Self::Publish(args) => publish::run(args, context).await,
        }
    }
}
