//! What FIFO queues do differently: groups and duplicates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{
    config::{Outgoing, QueueConfig},
    message::Stored,
};
use crate::testing::history::Name;

/// F7.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// The places of the messages that may be given out, group by group (P9), each group in its order.
pub(super) fn available<'m>(
    messages: impl Iterator<Item = (u64, &'m Stored)> + Clone,
    now: Duration,
    whole_group_locks: bool,
) -> Vec<Vec<u64>> {
    let mut locked: BTreeSet<&str> = BTreeSet::new();
    // F1.
    if whole_group_locks {
        let in_flight = messages.clone().filter(|(_, message)| message.is_in_flight(now));
        locked.extend(in_flight.map(|(_, message)| message.group()));
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<u64>> = Vec::new();
    for (place, message) in messages {
        let group = message.group();
        if locked.contains(group) {
            continue;
        }
        // F2, F3, F4, D4: an earlier message that is in flight or delayed holds back the later ones.
        if !message.is_visible(now) {
            locked.insert(group);
            continue;
        }
        let index = *names.entry(group).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(place);
    }
    groups
}

/// The ids a queue has taken, and when.
#[derive(Debug, Default)]
pub(super) struct Deduplication {
    accepted: BTreeMap<(Option<String>, String), (Duration, Name)>,
}

impl Deduplication {
    /// F14: what a FIFO message cannot do without. F12: the id may come from the body.
    pub(super) fn complete(outgoing: &mut Outgoing, config: &QueueConfig) -> Result<(), String> {
        if outgoing.group_id.is_none() {
            return Err("MissingParameter: the request must contain the parameter MessageGroupId".to_owned());
        }
        if outgoing.deduplication_id.is_none() && config.content_based_deduplication {
            let digest = Sha256::digest(outgoing.body.as_bytes());
            let mut id = String::new();
            for byte in digest {
                write!(id, "{byte:02x}").unwrap_or_default();
            }
            outgoing.deduplication_id = Some(id);
        }
        match outgoing.deduplication_id {
            Some(_) => Ok(()),
            None => Err("InvalidParameterValue: the queue should either have ContentBasedDeduplication enabled or \
                         MessageDeduplicationId provided explicitly"
                .to_owned()),
        }
    }

    /// F7, F8: the message that this one is a duplicate of; else this one is remembered.
    pub(super) fn duplicate_of(
        &mut self,
        outgoing: &Outgoing,
        id: &Name,
        config: &QueueConfig,
        now: Duration,
    ) -> Option<Name> {
        // F9, F10.
        let scope = config.deduplication_by_group.then(|| outgoing.group_id.clone()).flatten();
        let key = (scope, outgoing.deduplication_id.clone()?);
        match self.accepted.get(&key) {
            Some((at, original)) if now < *at + DEDUPLICATION => Some(original.clone()),
            _ => {
                self.accepted.insert(key, (now, id.clone()));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::{Receive, ReceivingQueue},
        testing::{
            Simulation,
            sqs::tests::{NOW, bodies, change, code, delete, receive_one, seconds, world},
        },
    };

    #[test]
    fn f1_f2_f3_f4_f5_f6_a_group_is_locked_by_what_is_in_flight() {
        for whole in [true, false] {
            world(
                "jobs.fifo",
                |disputes| disputes.whole_group_locks = whole,
                async |world, queue, queues| {
                    for (number, group) in [("1", "g"), ("2", "g"), ("3", "g"), ("4", "h")] {
                        world.send(&queue, Outgoing::in_group(number, group, number)).unwrap();
                    }
                    let two = Receive { max_messages: 2, ..NOW };
                    let held = queues.receive(&queue, &two).await.unwrap();
                    assert_eq!(bodies(&held), "1 2", "P9");
                    world.send(&queue, Outgoing::in_group("5", "g", "5")).unwrap();
                    assert_eq!(bodies(&queues.receive(&queue, &NOW).await.unwrap()), "4", "F1, F5");
                    assert_eq!(code(change(&queues, &queue, &held[0], Duration::ZERO).await), "200");
                    let again = queues.receive(&queue, &NOW).await.unwrap();
                    assert_eq!(bodies(&again), if whole { "" } else { "1" }, "F1 or F2");
                    let first = if whole { receive_one(&queues, &queue).await } else { again[0].clone() };
                    world.pass(seconds(1)).await;
                    assert_eq!(code(delete(&queues, &queue, &first).await), "200");
                    if !whole {
                        assert_eq!(bodies(&queues.receive(&queue, &NOW).await.unwrap()), "", "F4");
                        assert_eq!(code(delete(&queues, &queue, &held[1]).await), "200");
                        assert_eq!(bodies(&queues.receive(&queue, &NOW).await.unwrap()), "3 5", "F4");
                    }
                    world.pass(seconds(40)).await;
                    let back = bodies(&queues.receive(&queue, &NOW).await.unwrap());
                    assert_eq!(back.replace(" 4", "").replace("4 ", ""), if whole { "2 3 5" } else { "3 5" }, "F6");
                },
            );
        }
    }

    #[test]
    fn f7_f8_f9_f10_f12_f14_a_deduplication_id_counts_five_minutes_in_its_scope() {
        for by_group in [true, false] {
            Simulation::new(1).run(async |world| {
                let config = QueueConfig {
                    content_based_deduplication: by_group,
                    deduplication_by_group: by_group,
                    ..QueueConfig::named("jobs.fifo")
                };
                let queue = world.queue(config);
                let send = |body: &str, group: &str, id: &str| {
                    world.send(&queue, Outgoing::in_group(body, group, id)).unwrap()
                };
                let first = send("a", "g", "1");
                world.pass(seconds(200)).await;
                assert_eq!(send("b", "g", "1"), first, "F7, F8");
                assert_eq!(send("a", "h", "1") != first, by_group, "F9, F10");
                world.pass(seconds(100)).await;
                assert_ne!(send("a", "g", "1"), first, "F7: from the first that was taken");
                let no_id = Outgoing { group_id: Some("i".to_owned()), ..Outgoing::from("a") };
                assert_eq!(world.send(&queue, no_id).is_ok(), by_group, "F12, F14");
                assert!(world.send(&queue, "a").unwrap_err().starts_with("MissingParameter"), "F14");
            });
        }
    }
}
