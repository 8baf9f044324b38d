//! Which letters go back, and what they are when they arrive.

use std::collections::HashSet;

use regex_lite::Regex;
use sluicegate::{
    delivery::{MAX_BATCH_BYTES, REASON, RECEIVES, SOURCE},
    events::{MessageAttribute, Record},
};

use crate::outgoing::{MAX_ATTRIBUTES, Outgoing};

/// The attribute that says which dead-letter queue a message came back from.
pub(super) const REDRIVEN_FROM: &str = "sluicegate.redriven-from";

/// Which letters are meant.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) pattern: Option<Regex>,
    pub(super) reason: Option<String>,
}

impl Choice {
    pub(super) fn takes(&self, record: &Record) -> bool {
        let reason = record.attributes.get(REASON).and_then(|attribute| attribute.as_text());
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&record.body))
            && self.reason.as_ref().is_none_or(|text| reason.is_some_and(|reason| reason.contains(text.as_str())))
    }

    pub(super) fn takes_all(&self) -> bool {
        self.pattern.is_none() && self.reason.is_none()
    }
}

/// The message as it goes to a queue. On a FIFO queue its own id keeps it from arriving twice within five minutes: when
/// the delete here fails, the same letter may be sent again.
pub(super) fn redriven(record: &Record, from: &str, to_fifo: bool) -> Outgoing {
    let mut attributes = record.attributes.clone();
    attributes.retain(|name, _| ![REASON, SOURCE, RECEIVES, REDRIVEN_FROM].contains(&name.as_str()));
    let group_id = record.group_id.clone();
    let mut outgoing = Outgoing {
        body: record.body.as_str().into(),
        attributes: attributes.clone().into(),
        group_id: if to_fifo { group_id.or_else(|| Some(record.message_id.clone())) } else { group_id },
        deduplication_id: to_fifo.then(|| record.message_id.clone()),
        delay: None,
    };
    attributes.insert(REDRIVEN_FROM.to_owned(), MessageAttribute::text(from));
    let noted = Outgoing { attributes: attributes.into(), ..outgoing.clone() };
    if noted.attributes.len() <= MAX_ATTRIBUTES && noted.bytes() <= MAX_BATCH_BYTES {
        outgoing = noted;
    }
    outgoing
}

/// The order of sending: to a standard queue all at once; to a FIFO queue the first of each group, then the second of
/// each, so that a message that is not taken keeps those behind it back.
pub(super) fn rounds(groups: &[Option<&str>], to_fifo: bool) -> Vec<Vec<usize>> {
    if !to_fifo {
        return vec![(0..groups.len()).collect()];
    }
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut seen: Vec<HashSet<&str>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let round = match group {
            Some(group) => seen.iter().position(|seen| !seen.contains(group)).unwrap_or(seen.len()),
            None => 0,
        };
        if round >= rounds.len() {
            rounds.push(Vec::new());
            seen.push(HashSet::new());
        }
        rounds[round].push(index);
        seen[round].extend(group);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(attributes: &[(&str, &str)]) -> Record {
        Record {
            message_id: "m-1".to_owned(),
            receipt_handle: "h".to_owned(),
            body: r#"{"name": "Ada"}"#.to_owned(),
            attributes: attributes
                .iter()
                .map(|&(name, value)| (name.to_owned(), MessageAttribute::text(value)))
                .collect(),
            receive_count: Some(1),
            sent_at: None,
            group_id: Some("red".to_owned()),
            deduplication_id: None,
            trace_header: None,
        }
    }

    #[test]
    fn a_letter_arrives_as_it_was_sent_with_its_origin_noted() {
        let letter = record(&[("JobType", "NewDonor"), (REASON, "no"), (SOURCE, "jobs"), (RECEIVES, "5")]);
        let sent = redriven(&letter, "jobs-dlq", true);
        assert_eq!(&*sent.body, letter.body);
        assert_eq!(sent.attributes.keys().collect::<Vec<_>>(), ["JobType", REDRIVEN_FROM]);
        assert_eq!((sent.group_id.as_deref(), sent.deduplication_id.as_deref()), (Some("red"), Some("m-1")));
        let standard = redriven(&letter, "jobs-dlq", false);
        assert_eq!((standard.group_id.as_deref(), standard.deduplication_id), (Some("red"), None));
    }

    #[test]
    fn the_origin_is_left_out_where_there_is_no_room() {
        let names: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
        let full = record(&names.iter().map(|name| (name.as_str(), "x")).collect::<Vec<_>>());
        assert_eq!(redriven(&full, "dlq", false).attributes.len(), 10);
        let mut large = record(&[]);
        large.body = "x".repeat(MAX_BATCH_BYTES);
        assert!(redriven(&large, "dlq", false).attributes.is_empty());
    }

    #[test]
    fn letters_are_chosen_by_body_and_reason() {
        let letter = record(&[(REASON, "it timed out")]);
        let takes = |pattern: Option<&str>, reason: Option<&str>| {
            let pattern = pattern.map(|pattern| Regex::new(pattern).unwrap());
            Choice { pattern, reason: reason.map(ToOwned::to_owned) }.takes(&letter)
        };
        assert!(takes(None, None) && takes(Some("A.a"), Some("timed")));
        assert!(!takes(Some("^Ada"), None) && !takes(None, Some("refused")));
        let other = Choice { reason: Some("x".to_owned()), ..Choice::default() };
        assert!(!other.takes(&record(&[])), "a letter without a reason has none that fits");
    }

    #[test]
    fn a_group_is_sent_in_order_one_message_a_round() {
        let groups = [Some("a"), Some("b"), Some("a"), None, Some("a"), Some("b")];
        assert_eq!(rounds(&groups, true), [vec![0, 1, 3], vec![2, 5], vec![4]]);
        assert_eq!(rounds(&groups, false), [vec![0, 1, 2, 3, 4, 5]]);
    }
}
