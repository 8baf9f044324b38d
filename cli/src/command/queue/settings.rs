//! What a queue should be, and how one that is there differs from it.

use std::{collections::HashMap, fmt, time::Duration};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::json;

use crate::{
    connection::OpenQueue,
    quantity::{exact, whole_seconds_within},
    redrive_policy::RedrivePolicy,
};

/// The settings that are times.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Times {
    /// How long a new message stays invisible: 0s to 15m.
    #[arg(long, value_parser = whole_seconds_within(0..=900))]
    pub(crate) delay: Option<Duration>,
    /// How long messages are kept: 1m to 14d.
    #[arg(long, value_parser = whole_seconds_within(60..=1_209_600))]
    pub(crate) retention: Option<Duration>,
    /// How long a received message stays invisible: 0s to 12h.
    #[arg(long, value_parser = whole_seconds_within(0..=43_200))]
    pub(crate) visibility: Option<Duration>,
    /// How long a receive waits for a first message: 0s to 20s.
    #[arg(long, value_parser = whole_seconds_within(0..=20))]
    pub(crate) wait: Option<Duration>,
}

/// What was asked for; what was not is left to SQS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) is_fifo: bool,
    pub(crate) content_deduplication: bool,
    pub(crate) times: Times,
    pub(crate) dead_letters: Option<RedrivePolicy>,
    pub(crate) kms_key: Option<String>,
    pub(crate) tags: HashMap<String, String>,
}

/// What AWS says of a queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettledAttributes {
    pub(crate) attributes: HashMap<Name, String>,
    pub(crate) tags: HashMap<String, String>,
}

/// One setting that is not as asked, or that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    setting: String,
    has: String,
    asked: Option<String>,
}

impl Difference {
    /// As what was changed.
    pub(crate) fn change(&self) -> String {
        format!("{} was {}, is {}", self.setting, self.has, self.asked.as_deref().unwrap_or(&self.has))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, has, asked } = self;
        match asked {
            Some(asked) => write!(f, "{setting} is {has}, asked for {asked}"),
            None => write!(f, "{setting} is {has}"),
        }
    }
}

impl Settings {
    /// What `CreateQueue` and `SetQueueAttributes` take.
    pub(crate) fn attributes(&self) -> HashMap<Name, String> {
        let mut attributes = HashMap::new();
        for (name, _, asked, _) in self.durations() {
            if let Some(asked) = asked {
                attributes.insert(name, asked.as_secs().to_string());
            }
        }
        if self.is_fifo {
            attributes.insert(Name::FifoQueue, "true".to_owned());
        }
        if self.content_deduplication {
            attributes.insert(Name::ContentBasedDeduplication, "true".to_owned());
        }
        if let Some(RedrivePolicy { arn, max_receives }) = &self.dead_letters {
            let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": max_receives });
            attributes.insert(Name::RedrivePolicy, policy.to_string());
        }
        if let Some(key) = &self.kms_key {
            attributes.insert(Name::KmsMasterKeyId, key.clone());
        }
        attributes
    }

    /// What is not as asked, and what was not asked for and is not SQS's default.
    pub(crate) fn compare(&self, actual: &SettledAttributes) -> (Vec<Difference>, Vec<Difference>) {
        let mut all = Vec::new();
        for (name, setting, asked, default_seconds) in self.durations() {
            let seconds = actual.attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(default_seconds);
            let default = exact(Duration::from_secs(default_seconds));
            all.push(difference(setting, exact(Duration::from_secs(seconds)), asked.map(exact), &default));
        }
        let flag = |is_set: bool| if is_set { "on" } else { "off" }.to_owned();
        let deduplicates = actual.text(&Name::ContentBasedDeduplication) == "true";
        let asked = self.content_deduplication.then(|| flag(true));
        all.push(difference("content deduplication", flag(deduplicates), asked, "off"));
        let asked = self.dead_letters.as_ref().map(describe);
        all.push(difference("dead-letter queue", actual.dead_letters(), asked, "none"));
        let key = Some(actual.text(&Name::KmsMasterKeyId)).filter(|key| !key.is_empty()).unwrap_or("SQS's own");
        all.push(difference("encryption key", key.to_owned(), self.kms_key.clone(), "SQS's own"));
        for (tag, asked) in &self.tags {
            let has = actual.tags.get(tag).map_or("none", String::as_str);
            all.push(difference(&format!("tag {tag}"), has.to_owned(), Some(asked.clone()), "none"));
        }
        all.into_iter().flatten().partition(|difference| difference.asked.is_some())
    }

    /// The settings that are times: attribute, what people call it, what was asked, SQS's default.
    fn durations(&self) -> [(Name, &'static str, Option<Duration>, u64); 4] {
        [
            (Name::DelaySeconds, "delay", self.times.delay, 0),
            (Name::MessageRetentionPeriod, "retention", self.times.retention, 345_600),
            (Name::VisibilityTimeout, "visibility", self.times.visibility, 30),
            (Name::ReceiveMessageWaitTimeSeconds, "wait", self.times.wait, 0),
        ]
    }
}

/// What AWS says of a queue: one request, and one more for its tags.
pub(crate) async fn read(open: &OpenQueue, with_tags: bool) -> anyhow::Result<SettledAttributes> {
    let url = open.queue.url();
    let request = open.sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All);
    let attributes = request.send().await.map_err(open.refusal("sqs:GetQueueAttributes"))?.attributes;
    let tags = if with_tags {
        open.sqs.list_queue_tags().queue_url(url).send().await.map_err(open.refusal("sqs:ListQueueTags"))?.tags
    } else {
        None
    };
    Ok(SettledAttributes { attributes: attributes.unwrap_or_default(), tags: tags.unwrap_or_default() })
}

/// Differences in a sentence.
pub(crate) fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl SettledAttributes {
    pub(crate) fn text(&self, name: &Name) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(crate) fn dead_letters(&self) -> String {
        RedrivePolicy::read(self.text(&Name::RedrivePolicy)).as_ref().map_or_else(|| "none".to_owned(), describe)
    }
}

fn describe(dead_letters: &RedrivePolicy) -> String {
    format!("{} after {} receives", dead_letters.arn, dead_letters.max_receives)
}

fn difference(setting: &str, has: String, asked: Option<String>, default: &str) -> Option<Difference> {
    let is_as_expected = asked.as_deref().unwrap_or(default) == has;
    (!is_as_expected).then(|| Difference { setting: setting.to_owned(), has, asked })
}

/// Reads `KEY=VALUE`.
pub(crate) fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("a tag is KEY=VALUE")?;
    if key.chars().count() > 128 || value.chars().count() > 256 {
        return Err("a tag's key has up to 128 characters, its value up to 256".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sqs:us-east-1:123456789012:jobs-dlq";

    fn actual(attributes: &[(Name, &str)]) -> SettledAttributes {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        SettledAttributes { attributes, tags: HashMap::new() }
    }

    fn asked() -> Settings {
        Settings {
            times: Times { delay: Some(Duration::from_secs(5)), ..Times::default() },
            dead_letters: Some(RedrivePolicy { arn: ARN.to_owned(), max_receives: 5 }),
            ..Settings::default()
        }
    }

    #[test]
    fn only_what_was_asked_for_is_sent() {
        let attributes = asked().attributes();
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes[&Name::DelaySeconds], "5");
        assert_eq!(RedrivePolicy::read(&attributes[&Name::RedrivePolicy]), asked().dead_letters);
    }

    #[test]
    fn a_queue_made_with_the_same_settings_does_not_differ() {
        let settings = asked();
        let actual = SettledAttributes { attributes: settings.attributes(), tags: HashMap::new() };
        assert_eq!(settings.compare(&actual), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_difference_is_said_with_what_is_and_what_was_asked() {
        let mut settings = asked();
        settings.tags.insert("team".to_owned(), "a".to_owned());
        let policy = format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":"3"}}"#);
        let actual = actual(&[(Name::DelaySeconds, "0"), (Name::RedrivePolicy, &policy)]);
        let said: Vec<String> = settings.compare(&actual).0.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "delay is 0s, asked for 5s".to_owned(),
                format!("dead-letter queue is {ARN} after 3 receives, asked for {ARN} after 5 receives"),
                "tag team is none, asked for a".to_owned(),
            ]
        );
    }

    #[test]
    fn what_nobody_asked_for_is_said_apart() {
        let actual = actual(&[(Name::VisibilityTimeout, "60"), (Name::DelaySeconds, "5"), (Name::KmsMasterKeyId, "k")]);
        let settings = Settings { times: asked().times, ..Settings::default() };
        let (differences, unasked) = settings.compare(&actual);
        assert_eq!(differences, []);
        assert_eq!(
            unasked.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["visibility is 1m", "encryption key is k"]
        );
    }

    #[test]
    fn a_tag_needs_a_key() {
        assert_eq!(tag("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(tag("=b").is_err() && tag("a").is_err());
    }
}
