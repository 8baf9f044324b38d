//! `sluice topic unsubscribe`.

use anyhow::bail;
use serde_json::json;

use super::{list::is_confirmed, reference::TopicReference, subscriber::Who};
use crate::context::Context;

/// What let the topic into a queue or a function stays: its policy may have been there before.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic unsubscribe alerts --email ada@example.com\n  \
                        sluice topic unsubscribe uploads --queue jobs")]
pub(crate) struct Args {
    /// The topic: ARN or name.
    topic: TopicReference,
    #[command(flatten)]
    who: Who,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let topic = args.topic.open(&connection).await?;
    let who = args.who.find(&connection).await?;
    let (protocol, endpoint) = (who.protocol, who.endpoint);
    let found = topic.subscriptions().await?.into_iter().find(|subscription| {
        (subscription.protocol(), subscription.endpoint()) == (Some(protocol), Some(endpoint.as_str()))
    });
    let Some(subscription) = found else {
        bail!("{endpoint} does not hear of {}: `sluice topic list --subscriptions` says who does", topic.arn)
    };
    if !is_confirmed(&subscription) {
        bail!("{endpoint} has not confirmed yet, and SNS forgets it by itself two days after it was asked");
    }
    let arn = subscription.subscription_arn.unwrap_or_default();
    let request = topic.sns.unsubscribe().subscription_arn(&arn);
    request.send().await.map_err(topic.connection.refusal("sns:Unsubscribe", &arn))?;
    context.output.result(
        || format!("{} hears no more of {}", context.output.shown(&endpoint), context.output.shown(&topic.arn)),
        &json!({ "subscriptionArn": arn, "topicArn": topic.arn, "unsubscribed": true }),
    )
}
