//! `sluice topic list`.

use aws_sdk_sns::types::Subscription;
use serde_json::{Value, json};

use super::reference::OpenTopic;
use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic list\n  sluice topic list alerts --subscriptions")]
pub(crate) struct Args {
    /// Only topics whose names begin so.
    prefix: Option<String>,
    /// Say who hears of each: one request a topic.
    #[arg(long, short)]
    subscriptions: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let sns = aws_sdk_sns::Client::new(connection.config()?);
    let mut pages = sns.list_topics().into_paginator().send();
    let output = context.output;
    while let Some(page) = pages.next().await {
        let page = page.map_err(connection.refusal("sns:ListTopics", "this account's topics"))?;
        for arn in page.topics.unwrap_or_default().into_iter().filter_map(|topic| topic.topic_arn) {
            let name = arn.rsplit(':').next().unwrap_or(&arn);
            if args.prefix.as_deref().is_some_and(|prefix| !name.starts_with(prefix)) {
                continue;
            }
            if !args.subscriptions {
                output.result(|| output.shown(&arn).into_owned(), &json!({ "topicArn": arn }))?;
                continue;
            }
            let topic = OpenTopic { arn: arn.clone(), sns: sns.clone(), connection: connection.clone() };
            let subscriptions = topic.subscriptions().await?;
            let lines = subscriptions.iter().map(|subscription| format!("\n  {}", output.shown(&text(subscription))));
            let value =
                json!({ "topicArn": arn, "subscriptions": subscriptions.iter().map(value).collect::<Vec<_>>() });
            output.result(|| format!("{}{}", output.shown(&arn), lines.collect::<String>()), &value)?;
        }
    }
    Ok(())
}

fn text(subscription: &Subscription) -> String {
    let (protocol, endpoint) = (subscription.protocol(), subscription.endpoint());
    let unconfirmed = if is_confirmed(subscription) { "" } else { "  (not confirmed yet)" };
    format!("{} {}{unconfirmed}", protocol.unwrap_or("?"), endpoint.unwrap_or("?"))
}

fn value(subscription: &Subscription) -> Value {
    json!({
        "protocol": subscription.protocol(), "endpoint": subscription.endpoint(),
        "subscriptionArn": subscription.subscription_arn().filter(|_| is_confirmed(subscription)),
    })
}

/// One that waits for its subscriber's word has a word in the place of its ARN.
pub(super) fn is_confirmed(subscription: &Subscription) -> bool {
    subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"))
}
