//! `sluice whoami`: whose queues a command would reach.

use serde_json::json;

use crate::context::Context;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice whoami --profile prod")]
pub(crate) struct Args {}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let sts = aws_sdk_sts::Client::new(connection.config()?);
    let answer = sts.get_caller_identity().send().await;
    let identity = answer.map_err(connection.refusal("sts:GetCallerIdentity", "these credentials"))?;
    let [account, arn] = [identity.account(), identity.arn()].map(Option::unwrap_or_default);
    let (region, endpoint) = (connection.region(), connection.endpoint());
    let text = || {
        let endpoint = endpoint.unwrap_or("AWS's own");
        let lines = [("account", account), ("identity", arn), ("region", region), ("endpoint", endpoint)];
        let lines = lines.map(|(name, value)| format!("{name:<9} {}", context.output.shown(value)));
        lines.join("\n")
    };
    let value = json!({ "account": account, "arn": arn, "region": region, "endpoint": endpoint });
    context.output.result(text, &value)
}
