//! Which records must run one after the other.

use std::collections::BTreeMap;

use super::in_flight::InFlight;

/// Messages that run one after the other: a message group of a FIFO queue, or one message alone.
#[derive(Debug)]
pub(crate) struct Lane<'b> {
    /// In order; the next is the first.
    pub(crate) messages: std::vec::IntoIter<&'b InFlight>,
}

/// Puts messages in lanes. The lanes whose first message was delivered most often come first: those have the fewest
/// receives left.
///
/// Where the group of one message of a FIFO queue is not known, it may be any of them, and all are one lane.
pub(crate) fn lanes(messages: &[InFlight], is_fifo: bool) -> Vec<Lane<'_>> {
    let mut lanes: Vec<Vec<&InFlight>> = if !is_fifo {
        messages.iter().map(|message| vec![message]).collect()
    } else if messages.iter().any(|message| message.group_id().is_none()) {
        vec![messages.iter().collect()]
    } else {
        by_group(messages)
    };
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.first().map_or(0, |head| head.receive_count().unwrap_or(0))));
    lanes.into_iter().map(|lane| Lane { messages: lane.into_iter() }).collect()
}

/// In the order of each group's first message.
fn by_group(messages: &[InFlight]) -> Vec<Vec<&InFlight>> {
    let mut lanes: Vec<Vec<&InFlight>> = Vec::new();
    let mut lane_of_group: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for message in messages {
        let lane = *lane_of_group.entry(message.group_id()).or_insert_with(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push(message);
    }
    lanes
}
