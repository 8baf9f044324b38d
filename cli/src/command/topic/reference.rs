//! A topic as the user names it, and a phone number.

use std::str::FromStr;

use aws_sdk_sns::types::Subscription;

use crate::connection::Connection;

/// A topic by ARN or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TopicReference {
    Arn { arn: String, region: String },
    Named(String),
}

/// A topic, and a client that reaches it.
#[derive(Debug, Clone)]
pub(crate) struct OpenTopic {
    pub(crate) arn: String,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) connection: Connection,
}

impl TopicReference {
    pub(crate) fn is_fifo(&self) -> bool {
        let (Self::Arn { arn: name, .. } | Self::Named(name)) = self;
        name.ends_with(".fifo")
    }

    /// Finds the topic. A name is looked for in the list of topics, as SNS has no call for it.
    pub(crate) async fn open(&self, connection: &Connection) -> anyhow::Result<OpenTopic> {
        match self {
            Self::Arn { arn, region } => {
                let connection = connection.in_region(Some(region))?;
                let sns = aws_sdk_sns::Client::new(connection.config()?);
                Ok(OpenTopic { arn: arn.clone(), sns, connection })
            }
            Self::Named(name) => {
                let sns = aws_sdk_sns::Client::new(connection.config()?);
                let mut pages = sns.list_topics().into_paginator().send();
                while let Some(page) = pages.next().await {
                    let page = page.map_err(connection.refusal("sns:ListTopics", "this account's topics"))?;
                    let arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
                    if let Some(arn) = arns.into_iter().find(|arn| arn.rsplit(':').next() == Some(name)) {
                        return Ok(OpenTopic { arn: arn.to_owned(), sns, connection: connection.clone() });
                    }
                }
                let region = connection.region();
                anyhow::bail!("topic {name} does not exist in {region}: `sluice topic create {name}` makes it")
            }
        }
    }
}

impl OpenTopic {
    /// Who hears of it.
    pub(crate) async fn subscriptions(&self) -> anyhow::Result<Vec<Subscription>> {
        let mut pages = self.sns.list_subscriptions_by_topic().topic_arn(&self.arn).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(self.connection.refusal("sns:ListSubscriptionsByTopic", &self.arn))?;
            found.extend(page.subscriptions.unwrap_or_default());
        }
        Ok(found)
    }
}

impl FromStr for TopicReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with("arn:") {
            return name(text).map(Self::Named);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, "sns", region, _, topic] = parts[..] else {
            return Err(format!("{text:?} is no topic ARN: arn:aws:sns:REGION:ACCOUNT:NAME"));
        };
        name(topic)?;
        Ok(Self::Arn { arn: text.to_owned(), region: region.to_owned() })
    }
}

/// Reads a name that SNS takes. See
/// [CreateTopic](https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html).
pub(crate) fn name(text: &str) -> Result<String, String> {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.len() <= 256 && !stem.is_empty() && stem.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is no topic name: up to 256 letters, digits, hyphens and underscores, with .fifo at the end of a FIFO topic's"
    ))
}

/// Reads a phone number as the whole world writes it (E.164).
pub(crate) fn phone_number(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) && !digits.starts_with('0') {
        return Ok(text.to_owned());
    }
    Err("it is written with country code and no spaces, as in +14155550123".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_known_by_its_arn_with_its_region_or_by_name() {
        let arn = "arn:aws:sns:eu-west-1:123456789012:orders.fifo";
        let topic: TopicReference = arn.parse().unwrap();
        assert_eq!(topic, TopicReference::Arn { arn: arn.to_owned(), region: "eu-west-1".to_owned() });
        assert!(topic.is_fifo());
        assert_eq!("alerts".parse(), Ok(TopicReference::Named("alerts".to_owned())));
        for text in ["", ".fifo", "a b", "arn:aws:sqs:r:1:q", "arn:aws:sns:r:1:t:u", "ü"] {
            assert!(text.parse::<TopicReference>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_phone_number_has_its_country_code() {
        assert!(phone_number("+14155550123").is_ok());
        for text in ["14155550123", "+1 415 555 0123", "+", "+0123456789", "+1234567890123456"] {
            assert!(phone_number(text).is_err(), "{text}");
        }
    }
}
