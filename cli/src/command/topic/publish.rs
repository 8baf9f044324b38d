//! `sluice topic publish`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use aws_sdk_sns::{primitives::Blob, types::MessageAttributeValue};
use serde_json::json;
use sluicegate::events::{AttributeValue, MessageAttribute};

use super::reference::{TopicReference, phone_number};
use crate::{attribute::attribute, context::Context, input::Source, usage::UsageError};

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("where").required(true).args(["topic", "phone"]),
    group = clap::ArgGroup::new("what").required(true).args(["message", "file"]),
    after_help = "Example:\n  sluice topic publish alerts --subject 'Disk full' --message 'db-1 has 2% left'\n  \
                  sluice topic publish orders.fifo --group customer-7 --file order.json --attribute kind=new\n  \
                  sluice topic publish --phone +14155550123 --message 'db-1 is down'"
)]
pub(crate) struct Args {
    /// The topic: ARN or name.
    topic: Option<TopicReference>,
    /// An SMS to this number instead.
    #[arg(long, value_name = "NUMBER", value_parser = phone_number)]
    phone: Option<String>,
    /// The message.
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
    /// The message in this file; `-` is stdin.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The subject of e-mails: up to 100 printable ASCII characters.
    #[arg(long, conflicts_with = "phone", value_parser = subject)]
    subject: Option<String>,
    /// An attribute, which filter policies can look at: NAME=VALUE, or NAME:Number=5, NAME:Binary=BASE64.
    #[arg(long = "attribute", short = 'a', value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, MessageAttribute)>,
    /// The message group. FIFO topics need one.
    #[arg(long, short, conflicts_with = "phone")]
    group: Option<String>,
    /// The deduplication id (FIFO topics). Without it the message gets one of its own.
    #[arg(long, conflicts_with = "phone")]
    dedup: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let is_fifo = args.topic.as_ref().is_some_and(TopicReference::is_fifo);
    if is_fifo && args.group.is_none() {
        bail!(UsageError("a FIFO topic needs a message group: add --group".to_owned()));
    }
    if !is_fifo && args.dedup.is_some() {
        bail!(UsageError("only FIFO topics drop duplicates: leave --dedup out".to_owned()));
    }
    let message = message(&args)?;
    if message.is_empty() {
        bail!(UsageError("the message is empty, and SNS takes no empty message".to_owned()));
    }
    let connection = context.connect().await?;
    let (connection, sns, topic_arn) = match &args.topic {
        Some(topic) => {
            let open = topic.open(&connection).await?;
            (open.connection, open.sns, Some(open.arn))
        }
        None => (connection.clone(), aws_sdk_sns::Client::new(connection.config()?), None),
    };
    let subject = topic_arn.clone().or_else(|| args.phone.clone()).unwrap_or_default();
    let dedup = args.dedup.or_else(|| is_fifo.then(|| format!("{:032x}", fastrand::u128(..))));
    let mut request = sns
        .publish()
        .set_topic_arn(topic_arn)
        .set_phone_number(args.phone)
        .message(message)
        .set_subject(args.subject)
        .set_message_group_id(args.group)
        .set_message_deduplication_id(dedup);
    for (name, attribute) in &args.attributes {
        request = request.message_attributes(name, sns_attribute(attribute)?);
    }
    let answer = request.send().await.map_err(connection.refusal("sns:Publish", &subject))?;
    let id = answer.message_id.context("AWS answered Publish without a message id")?;
    let value = json!({ "messageId": id, "sequenceNumber": answer.sequence_number });
    context.output.result(|| context.output.shown(&id).into_owned(), &value)
}

fn message(args: &Args) -> anyhow::Result<String> {
    if let Some(message) = &args.message {
        return Ok(message.clone());
    }
    args.file.as_deref().map_or(Source::STDIN, Source::new).text()
}

fn sns_attribute(attribute: &MessageAttribute) -> anyhow::Result<MessageAttributeValue> {
    let value = MessageAttributeValue::builder().data_type(&attribute.data_type);
    let value = match &attribute.value {
        AttributeValue::Text(text) => value.string_value(text),
        AttributeValue::Binary(bytes) => value.binary_value(Blob::new(bytes.as_slice())),
    };
    Ok(value.build()?)
}

/// See [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
fn subject(text: &str) -> Result<String, String> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation());
    if begins && text.len() <= 100 && text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("a subject has 1 to 100 printable ASCII characters and begins with no space".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line_of_ascii() {
        assert!(subject("Disk full: 2% left").is_ok());
        for text in ["", " x", "a\nb", "ü", &"x".repeat(101)] {
            assert!(subject(text).is_err(), "{text:?}");
        }
    }
}
