//! One command a file: its arguments, whose documentation is its help, and what it does.

mod completions;
mod consume;
mod cost;
mod dead;
mod inspect;
mod queue;
mod receive;
mod redrive;
mod send;
mod stream;
mod top;
mod topic;
mod whoami;

use crate::context::Context;

/// What `sluice` can do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make, list, change, watch, empty and delete queues.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Send messages.
    Send(send::Args),
    /// Look at messages, or take them.
    Receive(receive::Args),
    /// Work on messages for as long as it runs.
    Consume(consume::Args),
    /// Send dead letters back to where they came from.
    Redrive(redrive::Args),
    /// Say what lies dead, and why.
    Dead(dead::Args),
    /// See what leads where, live, with all dead ends; look at dead letters and act on them.
    Top(top::Args),
    /// Make topics, subscribe to them, publish and listen.
    #[command(subcommand)]
    Topic(topic::Command),
    /// Put records on streams.
    #[command(subcommand)]
    Stream(stream::Command),
    /// Say what the functions would make of an event.
    Inspect(inspect::Args),
    /// Reckon what messages cost.
    Cost(cost::Args),
    /// Say whose queues a command would reach: account, identity, region, endpoint.
    Whoami(whoami::Args),
    /// Print the completions of a shell, or write the manual's pages.
    Completions(completions::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Queue(command) => command.run(context).await,
            Self::Send(args) => send::run(args, context).await,
            Self::Receive(args) => receive::run(args, context).await,
            Self::Consume(args) => Box::pin(consume::run(args, context)).await,
            Self::Redrive(args) => redrive::run(args, context).await,
            Self::Dead(args) => Box::pin(dead::run(args, context)).await,
            Self::Top(args) => Box::pin(top::run(args, context)).await,
            Self::Topic(command) => command.run(context).await,
            Self::Stream(command) => command.run(context).await,
            Self::Inspect(args) => inspect::run(&args, context),
            Self::Cost(args) => cost::run(args, context).await,
            Self::Whoami(args) => whoami::run(args, context).await,
            Self::Completions(args) => completions::run(&args, context),
        }
    }
}
