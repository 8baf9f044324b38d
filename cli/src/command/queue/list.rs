//! `sluice queue list`.

use serde_json::json;

use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue list job")]
pub(crate) struct Args {
    /// Only queues whose names begin so.
    prefix: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let sqs = connection.sqs()?;
    let request = sqs.list_queues().set_queue_name_prefix(args.prefix);
    // Without a page size the service stops at 1,000 queues and does not say so.
    let mut pages = request.max_results(1_000).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(connection.refusal("sqs:ListQueues", "this account's queues"))?;
        for url in page.queue_urls() {
            context.output.result(|| context.output.shown(url).into_owned(), &json!({ "url": url }))?;
        }
    }
    Ok(())
}
