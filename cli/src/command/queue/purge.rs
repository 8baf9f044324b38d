//! `sluice queue purge`.

use serde_json::json;

use crate::{context::Context, queue_reference::QueueReference};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue purge jobs --yes")]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let open = context.connect().await?.queue(&args.queue).await?;
    super::confirm(context.output, &open, "purge", args.yes).await?;
    open.sqs.purge_queue().queue_url(open.queue.url()).send().await.map_err(open.refusal("sqs:PurgeQueue"))?;
    context.output.result(
        || format!("purged {}: AWS takes up to a minute, and messages sent meanwhile may go too", open.queue),
        &json!({ "queue": open.queue.name(), "purged": true }),
    )
}
