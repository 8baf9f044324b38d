//! The function's settings: whom to alert, and about what.

use std::{collections::BTreeSet, str::FromStr};

use sluicegate::{
    events::Route,
    settings::{Settings, SettingsError},
};

/// Every route an object event can come by.
const ROUTES: [&str; 8] = [
    "s3",
    "s3-sns",
    "s3-sqs",
    "s3-sns-sqs",
    "s3-eventbridge",
    "s3-eventbridge-sns",
    "s3-eventbridge-sqs",
    "s3-eventbridge-sns-sqs",
];

/// The function's settings. With neither a phone number nor a topic it only logs.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `ALERT_PHONE_NUMBER`: who gets an SMS. Empty: nobody.
    pub alert_phone_number: Option<PhoneNumber>,
    /// `ALERT_TOPIC_ARN`: the topic that gets a message. Empty: none.
    pub alert_topic_arn: Option<TopicArn>,
    /// `ALERT_ROUTES`: which objects are worth an alert. Empty or `all`: every one.
    pub alert_routes: AlertRoutes,
    /// `IDEMPOTENCY_TABLE`: where the alerts that were sent are remembered. Empty: a second try sends them again.
    pub idempotency_table: Option<String>,
    /// The function's own name, under which they are remembered.
    pub function: String,
}

impl Config {
    /// Reads the settings; every wrong one is named in the error.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let config = Self {
            alert_phone_number: settings.optional("ALERT_PHONE_NUMBER"),
            alert_topic_arn: settings.optional("ALERT_TOPIC_ARN"),
            alert_routes: settings.or("ALERT_ROUTES", AlertRoutes::default()),
            idempotency_table: settings.optional("IDEMPOTENCY_TABLE"),
            function: settings.or("AWS_LAMBDA_FUNCTION_NAME", String::new()),
        };
        settings.finish(config)
    }

    /// Whether there is a channel at all.
    #[must_use]
    pub fn alerts_anybody(&self) -> bool {
        self.alert_phone_number.is_some() || self.alert_topic_arn.is_some()
    }
}

/// A phone number in the form SNS takes, E.164: `+`, country code and number, at most 15 digits, nothing else
/// ([Publishing to a mobile phone](https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let well_formed = (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err("an E.164 number is + and 2 to 15 digits, the first not 0, as +14155550123")
        }
    }
}

/// The ARN of a standard topic: `arn:aws:sns:<region>:<account>:<name>`. Alerts are for people, and a FIFO topic
/// reaches only queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn(String);

impl TopicArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TopicArn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts.as_slice() else {
            return Err("an SNS topic ARN is arn:aws:sns:<region>:<account>:<name>");
        };
        if name.ends_with(".fifo") {
            return Err("a FIFO topic reaches no people: name a standard topic");
        }
        let named_by = |text: &str, marks: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
        };
        if partition.starts_with("aws")
            && named_by(region, "-")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && name.len() <= 256
            && named_by(name, "-_")
        {
            Ok(Self(text.to_owned()))
        } else {
            Err("an SNS topic ARN is arn:aws:sns:<region>:<account of 12 digits>:<name>")
        }
    }
}

/// The routes whose objects are worth an alert: a comma list of route names, or `all`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AlertRoutes {
    /// Every route.
    #[default]
    All,
    /// Only these.
    Only(BTreeSet<&'static str>),
}

impl AlertRoutes {
    /// Whether objects that came by `route` are worth an alert.
    #[must_use]
    pub fn contain(&self, route: &Route) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(route.to_string().as_str()),
        }
    }
}

impl FromStr for AlertRoutes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        let known = |name: &str| ROUTES.into_iter().find(|route| *route == name);
        text.split(',')
            .map(str::trim)
            .map(|name| {
                known(name).ok_or_else(|| format!("no route {name:?}: `all`, or some of {}", ROUTES.join(", ")))
            })
            .collect::<Result<_, _>>()
            .map(Self::Only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> Result<Config, SettingsError> {
        Config::from_lookup(&|name| {
            let (_, value) = settings.iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn empty_settings_switch_alerts_off() {
        let config = config(&[("ALERT_PHONE_NUMBER", ""), ("ALERT_TOPIC_ARN", ""), ("ALERT_ROUTES", "")]).unwrap();
        assert_eq!(config.alert_phone_number, None);
        assert_eq!(config.alert_topic_arn, None);
        assert_eq!(config.alert_routes, AlertRoutes::All);
    }

    #[test]
    fn every_wrong_setting_is_named_in_the_one_error() {
        let error = config(&[
            ("ALERT_PHONE_NUMBER", "415-555-0123"),
            ("ALERT_TOPIC_ARN", "arn:aws:sqs:us-east-1:123456789012:alerts"),
            ("ALERT_ROUTES", "s3-sns, s3-pigeon"),
        ])
        .unwrap_err()
        .to_string();
        for part in [
            r#"ALERT_PHONE_NUMBER is "415-555-0123""#,
            r#"ALERT_TOPIC_ARN is "arn:aws:sqs"#,
            r#"ALERT_ROUTES is "s3-sns, s3-pigeon""#,
            r#"no route "s3-pigeon""#,
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn a_phone_number_is_e164() {
        for number in ["+14155550123", "+821012345678", "+123456789012345"] {
            assert_eq!(number.parse::<PhoneNumber>().unwrap().as_str(), number);
        }
        for number in ["14155550123", "+0123456", "+1", "+1234567890123456", "+1 415 5550123", "+", "+١٢٣"] {
            assert!(number.parse::<PhoneNumber>().is_err(), "{number}");
        }
    }

    #[test]
    fn a_topic_arn_names_a_standard_topic() {
        for arn in ["arn:aws:sns:us-east-1:123456789012:alerts", "arn:aws-cn:sns:cn-north-1:000000000000:my_Topic-1"] {
            assert_eq!(arn.parse::<TopicArn>().unwrap().as_str(), arn);
        }
        for arn in [
            "alerts",
            "arn:aws:sns:us-east-1:123456789012:",
            "arn:aws:sns:us-east-1:1234:alerts",
            "arn:aws:sns::123456789012:alerts",
            "arn:aws:sns:us-east-1:123456789012:alerts.fifo",
            "arn:aws:sns:us-east-1:123456789012:alerts:5be1b1a0-subscription",
            "arn:aws:sns:us-east-1:123456789012:al erts",
        ] {
            assert!(arn.parse::<TopicArn>().is_err(), "{arn}");
        }
    }

    #[test]
    fn routes_are_a_comma_list_or_all() {
        assert_eq!("all".parse(), Ok(AlertRoutes::All));
        assert_eq!("s3, s3-eventbridge".parse(), Ok(AlertRoutes::Only(BTreeSet::from(["s3", "s3-eventbridge"]))));
        for text in ["s3,", "ALL", "s3;s3-sns", "s3-sqs-sns", ","] {
            assert!(text.parse::<AlertRoutes>().is_err(), "{text}");
        }
    }
}
