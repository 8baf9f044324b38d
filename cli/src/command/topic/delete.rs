//! `sluice topic delete`.

use serde_json::json;

use super::reference::TopicReference;
use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic delete alerts --yes")]
pub(crate) struct Args {
    /// The topic: ARN or name.
    topic: TopicReference,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let topic = args.topic.open(&connection).await?;
    let arn = &topic.arn;
    if !args.yes {
        let at = connection.endpoint().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
        let count = if context.output.can_ask() { topic.subscriptions().await?.len() } else { 0 };
        context.output.confirm(&format!("delete topic {arn}{at}, of which {count} subscribers hear"))?;
    }
    topic.sns.delete_topic().topic_arn(arn).send().await.map_err(connection.refusal("sns:DeleteTopic", arn))?;
    context.output.result(
        || format!("deleted {}, and the subscriptions to it", context.output.shown(arn)),
        &json!({ "topicArn": arn, "deleted": true }),
    )
}
