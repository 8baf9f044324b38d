//! Which messages are meant.

use std::time::{Duration, SystemTime};

use regex_lite::Regex;
use sluicegate::events::Record;

use crate::{dead_letter, message::age, quantity::duration};

/// All that is given must fit.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Only messages")]
pub(crate) struct Filter {
    /// Whose body fits this regular expression.
    #[arg(long = "match", value_name = "REGEX", value_parser = regex)]
    pattern: Option<Regex>,
    /// Whose attribute fits; may be given again.
    #[arg(long = "attribute", short = 'a', value_name = "NAME=REGEX", value_parser = named_regex)]
    attributes: Vec<(String, Regex)>,
    /// Whose reason holds this text: sluicegate.reason, or what SNS, EventBridge, Scheduler or Lambda said.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// With this id; may be given again.
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Of this message group.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// That were sent longer ago.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    older_than: Option<Duration>,
}

impl Filter {
    pub(crate) fn takes(&self, record: &Record, now: SystemTime) -> bool {
        let Self { pattern, attributes, reason, ids, group, older_than } = self;
        let text = |name: &str| record.attributes.get(name).and_then(|attribute| attribute.as_text());
        pattern.as_ref().is_none_or(|pattern| pattern.is_match(&record.body))
            && attributes.iter().all(|(name, pattern)| text(name).is_some_and(|text| pattern.is_match(text)))
            && reason
                .as_ref()
                .is_none_or(|part| dead_letter::reason(record).is_some_and(|reason| reason.contains(part.as_str())))
            && (ids.is_empty() || ids.contains(&record.message_id))
            && (group.is_none() || *group == record.group_id)
            && older_than.is_none_or(|least| age(record, now).is_some_and(|age| age > least))
    }

    pub(crate) fn takes_all(&self) -> bool {
        let Self { pattern, attributes, reason, ids, group, older_than } = self;
        let has_none = pattern.is_none() && reason.is_none() && group.is_none() && older_than.is_none();
        has_none && attributes.is_empty() && ids.is_empty()
    }
}

fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

fn named_regex(text: &str) -> Result<(String, Regex), String> {
    let (name, pattern) = text.split_once('=').ok_or("it is NAME=REGEX")?;
    Ok((name.to_owned(), regex(pattern)?))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use clap::Parser;
    use sluicegate::{
        delivery::REASON,
        events::{MessageAttribute, MessageAttributes},
    };

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        filter: Filter,
    }

    fn takes(arguments: &[&str]) -> bool {
        let mut record = Record::new("m-1", r#"{"name": "Ada"}"#);
        record.attributes = MessageAttributes::from([
            (REASON.to_owned(), MessageAttribute::text("it timed out")),
            ("JobType".to_owned(), MessageAttribute::text("NewDonor")),
        ]);
        record.sent_at = Some((UNIX_EPOCH + Duration::from_mins(1)).into());
        record.group_id = Some("red".to_owned());
        let filter = Arguments::parse_from(["test"].iter().chain(arguments)).filter;
        assert_eq!(filter.takes_all(), arguments.is_empty());
        filter.takes(&record, UNIX_EPOCH + Duration::from_mins(6))
    }

    #[test]
    fn a_message_must_fit_all_that_is_given() {
        assert!(takes(&[]));
        for (option, fits, other) in [
            ("--match", "A.a", "^Ada"),
            ("--reason", "timed", "refused"),
            ("--attribute", "JobType=^New", "JobType=^Old"),
            ("--attribute", "JobType=", "Producer="),
            ("--id", "m-1", "m-2"),
            ("--group", "red", "blue"),
            ("--older-than", "4m", "5m"),
        ] {
            assert!(takes(&[option, fits]) && !takes(&[option, other]), "{option}");
        }
        assert!(takes(&["--id", "m-2", "--id", "m-1"]));
        assert!(!takes(&["--match", "Ada", "--group", "blue"]));
    }
}
