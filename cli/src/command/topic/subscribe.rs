//! `sluice topic subscribe`.

use anyhow::Context as _;
use aws_sdk_lambda::operation::add_permission::AddPermissionError;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::{
    policy::letting_in,
    reference::{OpenTopic, TopicReference},
    subscriber::{Subscriber, Who},
};
use crate::{connection::OpenQueue, context::Context, outgoing::digest, usage::UsageError};

/// A queue is also given the statement in its policy that lets the topic in; what is in the policy stays. A function is
/// given the permission to be called by the topic. Subscribing again with the same settings is a success.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice topic subscribe alerts --email ada@example.com\n  \
                  sluice topic subscribe uploads --queue jobs --raw --filter '{\"kind\": [\"photo\"]}'")]
pub(crate) struct Args {
    /// The topic: ARN or name.
    topic: TopicReference,
    #[command(flatten)]
    who: Who,
    /// Deliver to the queue the message alone, without the envelope of SNS around it.
    #[arg(long, requires = "queue")]
    raw: bool,
    /// Deliver only what fits this filter policy.
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<String>,
    /// What the filter looks at.
    #[arg(long, value_enum, requires = "filter")]
    filter_scope: Option<Scope>,
}

/// What a filter policy looks at.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Scope {
    /// The message attributes
    Attributes,
    /// The message, which is JSON then
    Body,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    check_together(&args)?;
    let connection = context.connect().await?;
    let topic = args.topic.open(&connection).await?;
    let subscriber = args.who.find(&connection).await?;
    match subscriber.protocol {
        "sqs" => {
            let queue = args.who.queue.as_ref().context("a queue has a name")?;
            if let_in(&connection.queue(queue).await?, &topic).await? {
                context.output.note(&format!("the policy of {} now lets {} in", queue.name(), topic.arn));
            }
        }
        "lambda" => let_into_function(&subscriber.endpoint, &topic).await?,
        _ => {}
    }
    let arn = subscribe(&args, &topic, &subscriber).await?;
    let is_confirmed = arn.starts_with("arn:");
    if !is_confirmed {
        context.output.note(&format!("{} must confirm: SNS has sent a message that says how", subscriber.endpoint));
    }
    if subscriber.protocol == "sms" {
        context.output.note("a new account reaches only numbers verified in its SMS sandbox, for 1 USD a month");
    }
    let value = json!({
        "subscriptionArn": is_confirmed.then_some(&arn), "protocol": subscriber.protocol,
        "endpoint": subscriber.endpoint, "topicArn": topic.arn,
    });
    context.output.result(|| context.output.shown(&arn).into_owned(), &value)
}

fn check_together(args: &Args) -> anyhow::Result<()> {
    let queue_is_fifo = args.who.queue.as_ref().map(|queue| queue.name().ends_with(".fifo"));
    let refusal = match (args.topic.is_fifo(), queue_is_fifo) {
        (true, None) => "a FIFO topic delivers to queues only: subscribe one with --queue",
        (false, Some(true)) => "a FIFO queue takes only what a FIFO topic delivers: make the topic with --fifo",
        _ => return Ok(()),
    };
    anyhow::bail!(UsageError(refusal.to_owned()))
}

async fn subscribe(args: &Args, topic: &OpenTopic, subscriber: &Subscriber) -> anyhow::Result<String> {
    let request = topic.sns.subscribe().topic_arn(&topic.arn).protocol(subscriber.protocol);
    let mut request = request.endpoint(&subscriber.endpoint);
    if args.raw {
        request = request.attributes("RawMessageDelivery", "true");
    }
    if let Some(filter) = &args.filter {
        let scope = match args.filter_scope.unwrap_or(Scope::Attributes) {
            Scope::Attributes => "MessageAttributes",
            Scope::Body => "MessageBody",
        };
        request = request.attributes("FilterPolicy", filter).attributes("FilterPolicyScope", scope);
    }
    let answer = request.send().await;
    let answer = answer.map_err(topic.connection.refusal("sns:Subscribe", &topic.arn)).map_err(|error| {
        if error.to_string().contains("already exists with different attributes") {
            let endpoint = &subscriber.endpoint;
            return error.context(format!("{endpoint} is subscribed already, with another filter or raw setting"));
        }
        error
    })?;
    answer.subscription_arn.context("AWS answered Subscribe without an ARN")
}

/// Adds the statement that lets the topic send; whether it was missing.
pub(super) async fn let_in(open: &OpenQueue, topic: &OpenTopic) -> anyhow::Result<bool> {
    let request = open.sqs.get_queue_attributes().queue_url(open.queue.url());
    let request = request.attribute_names(QueueAttributeName::QueueArn).attribute_names(QueueAttributeName::Policy);
    let answer = request.send().await.map_err(open.refusal("sqs:GetQueueAttributes"))?;
    let mut found = answer.attributes.unwrap_or_default();
    let arn = found.remove(&QueueAttributeName::QueueArn).context("AWS told no ARN of the queue")?;
    let policy = found.get(&QueueAttributeName::Policy).map(String::as_str);
    let Some(policy) = letting_in(policy, &arn, &topic.arn)? else { return Ok(false) };
    let request = open.sqs.set_queue_attributes().queue_url(open.queue.url());
    let request = request.attributes(QueueAttributeName::Policy, policy);
    request.send().await.map_err(open.refusal("sqs:SetQueueAttributes"))?;
    Ok(true)
}

/// Adds the permission by which the topic may call the function.
async fn let_into_function(arn: &str, topic: &OpenTopic) -> anyhow::Result<()> {
    let lambda = aws_sdk_lambda::Client::new(topic.connection.config()?);
    let request = lambda.add_permission().function_name(arn).action("lambda:InvokeFunction");
    let request = request.principal("sns.amazonaws.com").source_arn(&topic.arn);
    match request.statement_id(statement_id(&topic.arn)).send().await {
        Ok(_) => Ok(()),
        // It was let in before.
        Err(error) if error.as_service_error().is_some_and(AddPermissionError::is_resource_conflict_exception) => {
            Ok(())
        }
        Err(error) => Err(topic.connection.refusal("lambda:AddPermission", arn)(error)),
    }
}

/// One a topic: letters, digits, `-` and `_`, at most 100. The digest tells topics apart whose names are alike, or cut.
fn statement_id(topic_arn: &str) -> String {
    let name = topic_arn.rsplit(':').next().unwrap_or(topic_arn);
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = name.chars().filter(is_allowed).take(50).collect();
    format!("sluice-{name}-{}", digest::of_body(topic_arn))
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        Ok(_) => Err("a filter policy is a JSON object, as in {\"kind\": [\"photo\"]}".to_owned()),
        Err(error) => Err(format!("it is not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sns_would_refuse_is_refused_here() {
        assert!(filter(r#"{"kind":["photo"]}"#).is_ok() && filter("[]").is_err() && filter("{").is_err());
    }

    #[test]
    fn a_statement_id_is_short_and_differs_by_topic() {
        let long = format!("arn:aws:sns:us-east-1:123456789012:{}1", "t".repeat(200));
        assert!(statement_id(&long).len() <= 100);
        let ids = ["my_topic", "my-topic", "my.topic", &"t".repeat(200), &format!("{}1", "t".repeat(200))];
        let ids = ids.map(|name| statement_id(&format!("arn:aws:sns:us-east-1:123456789012:{name}")));
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 5, "{ids:?}");
    }
}
