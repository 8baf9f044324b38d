//! `sluice queue delete`.

use serde_json::json;

use crate::{context::Context, queue_reference::QueueReference};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue delete jobs --yes")]
pub(crate) struct Args {
    /// The queue: URL, ARN or name.
    queue: QueueReference,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let open = context.connect().await?.queue(&args.queue).await?;
    super::confirm(context.output, &open, "delete", args.yes).await?;
    open.sqs.delete_queue().queue_url(open.queue.url()).send().await.map_err(open.refusal("sqs:DeleteQueue"))?;
    context.output.result(
        || format!("deleted {}: its name is free again after a minute", open.queue),
        &json!({ "queue": open.queue.name(), "deleted": true }),
    )
}
