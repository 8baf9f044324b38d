//! `sluice topic create`.

use anyhow::Context as _;
use aws_sdk_sns::types::Tag;
use serde_json::json;

use super::reference::name;
use crate::{context::Context, usage::UsageError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic create alerts\n  sluice topic create orders.fifo --dedup-by-content")]
pub(crate) struct Args {
    /// The topic's name.
    #[arg(value_parser = name)]
    name: String,
    /// Keep the order inside message groups; `.fifo` is put at the end of the name where it is not there.
    #[arg(long)]
    fifo: bool,
    /// A FIFO topic: drop messages with the same text as one of the last five minutes.
    #[arg(long)]
    dedup_by_content: bool,
    /// Encrypt with this KMS key. Not the AWS-managed one if S3, EventBridge or alarms are to publish: they cannot use it.
    #[arg(long, value_name = "KEY")]
    kms: Option<String>,
    /// A tag of the topic: NAME=VALUE.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("a tag is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let is_fifo = args.fifo || args.name.ends_with(".fifo");
    if args.dedup_by_content && !is_fifo {
        anyhow::bail!(UsageError(
            "only FIFO topics drop duplicates: add --fifo or leave --dedup-by-content out".into()
        ));
    }
    let name = if is_fifo && !args.name.ends_with(".fifo") { format!("{}.fifo", args.name) } else { args.name };
    let connection = context.connect().await?;
    let sns = aws_sdk_sns::Client::new(connection.config()?);
    let mut request =
        sns.create_topic().name(&name).set_attributes(args.kms.map(|key| [("KmsMasterKeyId".to_owned(), key)].into()));
    if is_fifo {
        request = request.attributes("FifoTopic", "true");
        request = request.attributes("ContentBasedDeduplication", args.dedup_by_content.to_string());
    }
    for (key, value) in args.tags {
        request = request.tags(Tag::builder().key(key).value(value).build()?);
    }
    let answer = request.send().await.map_err(connection.refusal("sns:CreateTopic", &name))?;
    let arn = answer.topic_arn.context("AWS answered CreateTopic without an ARN")?;
    context.output.result(|| context.output.shown(&arn).into_owned(), &json!({ "topicArn": arn }))
}
