//! Subscribers of topics that SNS could not reach.

use anyhow::{Context as _, bail};
use aws_sdk_sns::{Client, types::Subscription};
use serde_json::{Value, json};
use sluicegate::events::{Notification, Record};

use super::{Form, Home, Homes, Place};
use crate::redrive_policy::dead_letter_target;

/// A subscription whose letters come here.
struct Subscriber {
    arn: String,
    protocol: String,
    endpoint: String,
    is_raw: bool,
}

impl Homes {
    /// The one subscriber of this topic whose letters come here.
    pub(super) async fn subscriber(&self, topic: &str, subscription: Option<&str>) -> anyhow::Result<Home> {
        let sns = Client::new(self.dlq.connection.config()?);
        let mut pages = sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
        let mut listed = Vec::new();
        while let Some(one) = pages.next().await {
            listed.push(one.map_err(self.dlq.connection.refusal("sns:ListSubscriptionsByTopic", topic))?);
        }
        // An envelope names its own subscription. Emulators write any there, and then it is none of these.
        let named = |one: &Subscription| one.subscription_arn() == subscription;
        if listed.iter().any(named) {
            listed.retain(named);
        }
        let found = self.led_from(&sns, listed).await?;
        self.only(found, &format!("subscriptions of {topic}")).await
    }

    /// The one subscriber that takes messages without an envelope, and whose letters come here: such letters name no topic.
    pub(super) async fn raw_subscriber(&self) -> anyhow::Result<Home> {
        let sns = Client::new(self.dlq.connection.config()?);
        let mut pages = sns.list_subscriptions().into_paginator().items().send();
        let mut listed = Vec::new();
        while let Some(one) = pages.next().await {
            listed.push(one.map_err(self.dlq.connection.refusal("sns:ListSubscriptions", "this account's topics"))?);
        }
        let mut found = self.led_from(&sns, listed).await?;
        found.retain(|subscriber| subscriber.is_raw);
        if found.is_empty() {
            bail!("no subscription without envelopes leaves letters here");
        }
        self.only(found, "subscriptions").await
    }

    async fn led_from(&self, sns: &Client, listed: Vec<Subscription>) -> anyhow::Result<Vec<Subscriber>> {
        let mut found = Vec::new();
        for one in listed {
            // Those that nobody has confirmed have no ARN.
            let Some(arn) = one.subscription_arn.filter(|arn| arn.starts_with("arn:")) else { continue };
            let answer = sns.get_subscription_attributes().subscription_arn(&arn).send().await;
            let answer = answer.map_err(self.dlq.connection.refusal("sns:GetSubscriptionAttributes", &arn))?;
            let attributes = answer.attributes.unwrap_or_default();
            let target = attributes.get("RedrivePolicy").and_then(|policy| dead_letter_target(policy));
            if target.is_some_and(|target| target == self.dlq_arn) {
                found.push(Subscriber {
                    arn,
                    protocol: one.protocol.unwrap_or_default(),
                    endpoint: one.endpoint.unwrap_or_default(),
                    is_raw: attributes.get("RawMessageDelivery").is_some_and(|is| is.eq_ignore_ascii_case("true")),
                });
            }
        }
        Ok(found)
    }

    async fn only(&self, found: Vec<Subscriber>, whose: &str) -> anyhow::Result<Home> {
        let dlq = &self.dlq.queue;
        let [Subscriber { arn, protocol, endpoint, is_raw }] = found.as_slice() else {
            bail!("{} {whose} have {dlq} as their dead-letter queue", found.len());
        };
        match protocol.as_str() {
            "sqs" => {
                let reference = endpoint.parse().map_err(anyhow::Error::msg)?;
                let open = self.dlq.connection.queue(&reference).await.context("their subscriber")?;
                Ok(Home::new(Place::Queue(open), if *is_raw { Form::Raw } else { Form::Body }))
            }
            "lambda" => Ok(Home { form: Form::Invocation(arn.clone()), ..self.function(endpoint).await? }),
            other => bail!("their subscriber is none that can be sent to from here ({other})"),
        }
    }
}

/// Takes the envelope off, where there is one.
pub(super) fn peel(record: &mut Record) {
    if let Some(notification) = Notification::from_envelope(&record.body) {
        record.body = notification.message;
        record.attributes = notification.attributes;
    }
}

/// What SNS invokes a function with: the envelope, in a record, two of its members spelled otherwise.
pub(super) fn invocation(envelope: &str, subscription: &str) -> String {
    let Ok(Value::Object(mut sns)) = serde_json::from_str(envelope) else { return envelope.to_owned() };
    for (there, here) in [("SigningCertURL", "SigningCertUrl"), ("UnsubscribeURL", "UnsubscribeUrl")] {
        if let Some(url) = sns.remove(there) {
            sns.insert(here.to_owned(), url);
        }
    }
    sns.entry("Subject").or_insert(Value::Null);
    sns.entry("MessageAttributes").or_insert_with(|| json!({}));
    let record =
        json!({"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": sns});
    json!({ "Records": [record] }).to_string()
}
