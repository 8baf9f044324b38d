//! A message of a dead-letter queue, and what it is when it arrives elsewhere.

use std::collections::HashSet;

use sluicegate::{
    delivery::{MAX_BATCH_BYTES, REASON, RECEIVES, SOURCE},
    events::{MessageAttribute, Record, dispatch::Message},
};

use super::origin::{Origin, reason};
use crate::{
    batch::Entry,
    outgoing::{MAX_ATTRIBUTES, Outgoing},
};

/// The attribute that says which dead-letter queue a message came back from.
const REDRIVEN_FROM: &str = "sluicegate.redriven-from";

/// One message of a dead-letter queue.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) record: Record,
    pub(crate) origin: Origin,
}

impl Letter {
    /// `None` when it cannot be read: then it could not be sent on as it was.
    pub(crate) fn read(message: Message) -> Option<Self> {
        let moved_from = message.attributes.get("DeadLetterQueueSourceArn").cloned();
        let record = Record::try_from(message).ok()?;
        Some(Self { origin: Origin::of(&record, moved_from), record })
    }

    /// Why it is dead, where that is told.
    pub(crate) fn reason(&self) -> String {
        let untold = || if matches!(self.origin, Origin::Moved(_)) { "received too often" } else { "-" }.to_owned();
        reason(&self.record).unwrap_or_else(untold)
    }

    /// The message as it goes to a queue. On a FIFO queue its own id keeps it from arriving twice within five minutes:
    /// when the delete here fails, the same letter may be sent again.
    pub(crate) fn redriven(&self, from: &str, to_fifo: bool) -> Outgoing {
        let Self { record, origin } = self;
        let mut attributes = record.attributes.clone();
        attributes.remove(REDRIVEN_FROM);
        // What SQS moved goes one hop back: the notes are of the hop before.
        if !matches!(origin, Origin::Moved(_)) {
            attributes.retain(|name, _| ![REASON, SOURCE, RECEIVES].contains(&name.as_str()));
        }
        let group_id = record.group_id.clone();
        let mut outgoing = Outgoing {
            body: record.body.as_str().into(),
            attributes: attributes.clone().into(),
            group_id: if to_fifo { group_id.or_else(|| Some(record.message_id.clone())) } else { group_id },
            deduplication_id: to_fifo.then(|| record.message_id.clone()),
            delay: None,
            trace_header: record.trace_header.clone(),
        };
        attributes.insert(REDRIVEN_FROM.to_owned(), MessageAttribute::text(from));
        let noted = Outgoing { attributes: attributes.into(), ..outgoing.clone() };
        if noted.attributes.len() <= MAX_ATTRIBUTES && noted.bytes() <= MAX_BATCH_BYTES {
            outgoing = noted;
        }
        outgoing
    }
}

/// The order of sending: to a standard queue all at once; to a FIFO queue the first of each group, then the second of
/// each, so that a message that is not taken keeps those behind it back.
pub(crate) fn rounds(groups: &[Option<&str>], to_fifo: bool) -> Vec<Vec<usize>> {
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

    fn letter(attributes: &[(&str, &str)]) -> Letter {
        let mut record = Record::new("m-1", r#"{"name": "Ada"}"#);
        record.attributes =
            attributes.iter().map(|&(name, value)| (name.to_owned(), MessageAttribute::text(value))).collect();
        record.group_id = Some("red".to_owned());
        record.trace_header = Some("Root=1-2".to_owned());
        Letter { origin: Origin::of(&record, None), record }
    }

    #[test]
    fn a_letter_arrives_as_it_was_sent_with_its_origin_noted() {
        let mut letter = letter(&[("JobType", "NewDonor"), (REASON, "no"), (SOURCE, "jobs"), (RECEIVES, "5")]);
        let sent = letter.redriven("jobs-dlq", true);
        assert_eq!(&*sent.body, letter.record.body);
        assert_eq!(sent.attributes.keys().collect::<Vec<_>>(), ["JobType", REDRIVEN_FROM]);
        assert_eq!((sent.group_id.as_deref(), sent.deduplication_id.as_deref()), (Some("red"), Some("m-1")));
        assert_eq!(sent.trace_header.as_deref(), Some("Root=1-2"));
        let standard = letter.redriven("jobs-dlq", false);
        assert_eq!((standard.group_id.as_deref(), standard.deduplication_id), (Some("red"), None));
        letter.origin = Origin::Moved("arn:aws:sqs:eu-west-1:1:jobs-dlq".to_owned());
        assert_eq!(letter.redriven("jobs-dlq-dlq", false).attributes.len(), 5, "the notes are of the hop before");
    }

    #[test]
    fn the_origin_is_left_out_where_there_is_no_room() {
        let names: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
        let full = letter(&names.iter().map(|name| (name.as_str(), "x")).collect::<Vec<_>>());
        assert_eq!(full.redriven("dlq", false).attributes.len(), 10);
        let mut large = letter(&[]);
        large.record.body = "x".repeat(MAX_BATCH_BYTES);
        assert!(large.redriven("dlq", false).attributes.is_empty());
    }

    #[test]
    fn a_group_is_sent_in_order_one_message_a_round() {
        let groups = [Some("a"), Some("b"), Some("a"), None, Some("a"), Some("b")];
        assert_eq!(rounds(&groups, true), [vec![0, 1, 3], vec![2, 5], vec![4]]);
        assert_eq!(rounds(&groups, false), [vec![0, 1, 2, 3, 4, 5]]);
    }
}
