//! Messages as the engine's batches: one a message, or one a group of a FIFO queue.

use std::collections::HashMap;

use crate::events::{MalformedRecord, Record, dispatch::Message};

/// What must be worked on one after the other: the messages of a group of a FIFO queue, else each by itself.
pub(super) fn lanes(messages: Vec<Message>, is_fifo: bool) -> Vec<Vec<Message>> {
    let mut lanes: Vec<(Option<String>, Vec<Message>)> = Vec::new();
    for message in messages {
        let group = message.attributes.get("MessageGroupId").filter(|_| is_fifo).cloned();
        match lanes.iter_mut().find(|(of, _)| group.is_some() && *of == group) {
            Some((_, lane)) => lane.push(message),
            None => lanes.push((group, vec![message])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// The records of a lane, and by receipt handle who sent them.
pub(super) fn read(lane: Vec<Message>) -> (Vec<Result<Record, MalformedRecord>>, HashMap<String, String>) {
    let mut senders = HashMap::new();
    let records = lane.into_iter().map(|message| {
        let message_id = message.message_id.clone().unwrap_or_default();
        let receipt_handle = message.receipt_handle.clone();
        if let (Some(handle), Some(sender)) = (&receipt_handle, message.attributes.get("SenderId")) {
            senders.insert(handle.clone(), sender.clone());
        }
        let group_id = message.attributes.get("MessageGroupId").cloned();
        Record::try_from(message).map_err(|problem| MalformedRecord { message_id, receipt_handle, group_id, problem })
    });
    (records.collect(), senders)
}

pub(super) fn handle_of(record: &Result<Record, MalformedRecord>) -> String {
    match record {
        Ok(record) => record.receipt_handle.clone(),
        Err(record) => record.receipt_handle.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_group_are_one_lane_on_a_fifo_queue_only() {
        let of_group = |group: &str| Message {
            attributes: [("MessageGroupId".to_owned(), group.to_owned())].into(),
            ..Message::default()
        };
        let messages: Vec<Message> = ["a", "b", "a", "b", "a"].map(of_group).into();
        assert_eq!(lanes(messages.clone(), true).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(lanes(messages, false).len(), 5);
    }
}
