//! The facts of `AWS-SEMANTICS.md` §1–§3 and §6, by their numbers; those of §4 are in `fifo.rs`.

#![allow(clippy::unchecked_time_subtraction, reason = "times of which one is later than the other")]

use std::time::Duration;

use super::*;
use crate::{
    delivery::{
        DeadLetter, DeadLetterQueue, FailedEntry, Failure, Receive, ReceivingQueue, SourceQueue, VisibilityChange,
    },
    events::{MessageAttribute, MessageAttributes, Queue, dispatch::Message},
    testing::{Disputes, FaultPlan, Rates, Simulation, What, World},
};

pub(super) const NOW: Receive = Receive { max_messages: 10, wait: Duration::ZERO, visibility: None };
const LONG: Receive = Receive { wait: Duration::from_secs(20), ..NOW };

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A world with one queue, in which `dispute` is settled one way.
pub(super) fn world(
    name: &str,
    dispute: impl FnOnce(&mut Disputes),
    body: impl AsyncFnOnce(&World, Queue, QueueClient),
) {
    let mut disputes = Disputes::draw(&crate::testing::Stream::new(1));
    dispute(&mut disputes);
    let redriven = if name.ends_with(".fifo") { "dead.fifo" } else { "dead" };
    Simulation::new(1).disputes(disputes).run(async |world| {
        world.queue(QueueConfig::named(redriven));
        let queue = world.queue(QueueConfig::named(name).redriven_to(redriven, 3));
        body(world, queue, world.host("host").queues()).await;
    });
}

fn handle(message: &Message) -> &str {
    message.receipt_handle.as_deref().unwrap()
}

pub(super) fn bodies(messages: &[Message]) -> String {
    messages.iter().map(|message| message.body.as_deref().unwrap()).collect::<Vec<_>>().join(" ")
}

pub(super) async fn change(
    queues: &QueueClient,
    queue: &Queue,
    message: &Message,
    timeout: Duration,
) -> Option<Failure> {
    let change = VisibilityChange { receipt_handle: handle(message), timeout };
    let failed = queues.change_visibility(queue, &[change]).await.unwrap();
    failed.into_iter().next().map(|entry| entry.failure)
}

pub(super) async fn delete(queues: &QueueClient, queue: &Queue, message: &Message) -> Option<Failure> {
    let failed = queues.delete(queue, &[handle(message)]).await.unwrap();
    failed.into_iter().next().map(|entry| entry.failure)
}

pub(super) async fn receive_one(queues: &QueueClient, queue: &Queue) -> Message {
    loop {
        if let Some(message) = queues.receive(queue, &LONG).await.unwrap().into_iter().next() {
            return message;
        }
    }
}

pub(super) fn code(failure: Option<Failure>) -> String {
    match failure {
        None => "200".to_owned(),
        Some(Failure::HandleExpired(text)) => format!("expired, {}", text.split(':').next().unwrap_or_default()),
        Some(Failure::Refused(text)) => format!("refused, {}", text.split(':').next().unwrap_or_default()),
        Some(Failure::Transient(text)) => format!("transient, {text}"),
    }
}

#[test]
fn v1_v2_v3_h1_a_receive_hides_a_message_until_its_visibility_ends_or_is_changed() {
    world(
        "jobs",
        |_| (),
        async |world, queue, queues| {
            world.send(&queue, "a").unwrap();
            let first = receive_one(&queues, &queue).await;
            let received_at = world.now();
            assert_eq!(
                (world.counts(&queue).in_flight, bodies(&queues.receive(&queue, &NOW).await.unwrap())),
                (1, String::new())
            );
            let second = receive_one(&queues, &queue).await;
            assert!((seconds(29)..seconds(31)).contains(&(world.now() - received_at)), "{:?}", world.now());
            assert_eq!(first.message_id, second.message_id);
            assert_ne!(first.receipt_handle, second.receipt_handle);
            assert_eq!(code(change(&queues, &queue, &second, seconds(100)).await), "200");
            world.pass(seconds(95)).await;
            assert_eq!(world.counts(&queue).in_flight, 1);
            assert_eq!(code(change(&queues, &queue, &second, seconds(0)).await), "200");
            assert_eq!(world.counts(&queue).visible, 1);
        },
    );
}

#[test]
fn v4_v5_twelve_hours_count_from_the_receive_and_a_value_beyond_is_refused() {
    world(
        "jobs",
        |_| (),
        async |world, queue, queues| {
            world.send(&queue, "a").unwrap();
            let message = receive_one(&queues, &queue).await;
            let twelve_hours = Duration::from_hours(12);
            assert_eq!(code(change(&queues, &queue, &message, twelve_hours).await), "refused, InvalidParameterValue");
            assert_eq!(code(change(&queues, &queue, &message, twelve_hours - seconds(1)).await), "200");
            world.pass(seconds(3_600)).await;
            assert_eq!(
                code(change(&queues, &queue, &message, twelve_hours - seconds(1)).await),
                "refused, InvalidParameterValue"
            );
            assert_eq!(code(change(&queues, &queue, &message, Duration::from_hours(10)).await), "200");
        },
    );
}

#[test]
fn h2_h4_h6_a_standard_queue_deletes_by_an_expired_handle_and_minds_no_repetition() {
    world(
        "jobs",
        |_| (),
        async |world, queue, queues| {
            world.send(&queue, "a").unwrap();
            let message = receive_one(&queues, &queue).await;
            world.pass(seconds(40)).await;
            assert_eq!(code(delete(&queues, &queue, &message).await), "200");
            assert_eq!(world.counts(&queue).total(), 0);
            assert_eq!(code(delete(&queues, &queue, &message).await), "200");
            let failed = queues.delete(&queue, &["no handle"]).await.unwrap();
            assert!(matches!(&failed[..], [FailedEntry { index: 0, failure: Failure::HandleExpired(_) }]));
        },
    );
}

#[test]
fn h3_an_older_handle_deletes_or_does_not_and_is_answered_with_200() {
    for deletes in [true, false] {
        world(
            "jobs",
            |disputes| disputes.old_handle_deletes = deletes,
            async |world, queue, queues| {
                world.send(&queue, "a").unwrap();
                let first = receive_one(&queues, &queue).await;
                world.pass(seconds(30)).await;
                receive_one(&queues, &queue).await;
                assert_eq!(code(delete(&queues, &queue, &first).await), "200");
                assert_eq!(world.counts(&queue).total(), usize::from(!deletes));
            },
        );
    }
}

#[test]
fn h7_h8_h9_h10_a_standard_queue_takes_late_changes_and_opens_a_message_under_its_owner() {
    for opens in [true, false] {
        let settle = |disputes: &mut Disputes| {
            (disputes.old_handle_changes_visibility, disputes.deleted_is_not_in_flight) = (opens, opens);
        };
        world("jobs", settle, async |world, queue, queues| {
            world.send(&queue, "a").unwrap();
            let first = receive_one(&queues, &queue).await;
            world.pass(seconds(30)).await;
            assert_eq!(code(change(&queues, &queue, &first, seconds(10)).await), "200");
            assert_eq!(world.counts(&queue).in_flight, 1);
            let second = receive_one(&queues, &queue).await;
            assert_eq!(code(change(&queues, &queue, &first, seconds(0)).await), "200");
            assert_eq!(world.counts(&queue).visible, usize::from(opens));
            assert_eq!(code(delete(&queues, &queue, &second).await), "200");
            let gone = if opens { "expired, MessageNotInflight" } else { "expired, InvalidParameterValue" };
            assert_eq!(code(change(&queues, &queue, &second, seconds(10)).await), gone);
        });
    }
}

#[test]
fn h11_h12_h13_a_fifo_queue_refuses_a_handle_whose_time_is_over() {
    for refuses in [true, false] {
        world(
            "jobs.fifo",
            |disputes| disputes.fifo_refuses_late_change = refuses,
            async |world, queue, queues| {
                world.send(&queue, Outgoing::in_group("a", "g", "1")).unwrap();
                let message = receive_one(&queues, &queue).await;
                assert_eq!(code(change(&queues, &queue, &message, seconds(60)).await), "200");
                world.pass(seconds(50)).await;
                assert_eq!(world.counts(&queue).in_flight, 1);
                world.pass(seconds(20)).await;
                assert_eq!(code(delete(&queues, &queue, &message).await), "expired, InvalidParameterValue");
                assert_eq!(world.counts(&queue).visible, 1);
                let late = if refuses { "expired, InvalidParameterValue" } else { "200" };
                assert_eq!(code(change(&queues, &queue, &message, seconds(60)).await), late);
                assert_eq!(world.counts(&queue).in_flight, usize::from(!refuses));
            },
        );
    }
}

#[test]
fn c1_c2_c3_c6_c7_a_message_moves_at_the_receive_after_the_last_allowed() {
    for anew in [true, false] {
        world(
            "jobs",
            |disputes| disputes.first_receive_starts_anew = anew,
            async |world, queue, queues| {
                world.send(&queue, Outgoing { trace_header: Some("Root=1".to_owned()), .."a".into() }).unwrap();
                let mut firsts = Vec::new();
                for count in ["1", "2", "3"] {
                    let message = receive_one(&queues, &queue).await;
                    assert_eq!(message.attributes["ApproximateReceiveCount"], count);
                    firsts.push(message.attributes["ApproximateFirstReceiveTimestamp"].clone());
                    world.pass(seconds(30)).await;
                }
                assert!(firsts.iter().all(|first| *first == firsts[0]));
                world.pass(seconds(3_600)).await;
                assert_eq!(world.counts(&queue).visible, 1);
                assert!(queues.receive(&queue, &NOW).await.unwrap().is_empty());
                assert_eq!(world.counts(&queue).total(), 0);
                let dead = Queue::from_url(&queue.url().replace("jobs", "dead")).unwrap();
                let dead_letter = receive_one(&queues, &dead).await;
                assert_eq!(dead_letter.message_id.as_deref(), Some("jobs-1"));
                assert_eq!(dead_letter.attributes["ApproximateReceiveCount"], "4");
                assert_eq!(dead_letter.attributes["AWSTraceHeader"], "Root=1");
                assert_eq!(dead_letter.attributes["DeadLetterQueueSourceArn"], queue.arn().unwrap());
                assert_eq!(dead_letter.attributes["ApproximateFirstReceiveTimestamp"] != firsts[0], anew);
            },
        );
    }
}

#[test]
fn c9_c10_a_message_expires_from_its_send_on_standard_and_from_its_move_on_fifo() {
    for (suffix, outgoing) in [("", Outgoing::from("a")), (".fifo", Outgoing::in_group("a", "g", "1"))] {
        Simulation::new(1).run(async |world| {
            let named = |name: &str| QueueConfig {
                retention: Duration::from_hours(1),
                ..QueueConfig::named(&format!("{name}{suffix}"))
            };
            let dead = world.queue(named("dead"));
            let queue = world.queue(named("jobs").redriven_to(dead.name(), 1));
            let queues = world.host("host").queues();
            world.send(&queue, outgoing).unwrap();
            receive_one(&queues, &queue).await;
            world.pass(Duration::from_mins(30)).await;
            assert!(queues.receive(&queue, &NOW).await.unwrap().is_empty());
            world.pass(Duration::from_mins(31)).await;
            assert_eq!(world.counts(&dead).total(), usize::from(!suffix.is_empty()));
            world.pass(Duration::from_mins(30)).await;
            assert_eq!(world.counts(&dead).total(), 0);
            assert!(world.history().iter().any(|event| matches!(event.what, What::Expired { .. })));
        });
    }
}

#[test]
fn c14_a_letter_that_is_sent_is_a_message_of_its_own() {
    world(
        "jobs",
        |_| (),
        async |_, queue, queues| {
            let dead_letter = |body| DeadLetter {
                message_id: "jobs-1",
                body,
                attributes: MessageAttributes::from([("why".to_owned(), MessageAttribute::text("because"))]),
                group_id: None,
                trace_header: None,
            };
            assert_eq!(queues.send(queue.url(), &[dead_letter("a")]).await.unwrap(), []);
            let message = receive_one(&queues, &queue).await;
            assert_eq!(message.message_attributes["why"].string_value.as_deref(), Some("because"));
            assert_eq!(message.attributes["ApproximateReceiveCount"], "1");
            assert!(!message.attributes.contains_key("DeadLetterQueueSourceArn"));
            let large = "a".repeat(600_000);
            let error = queues.send(queue.url(), &[dead_letter(&large), dead_letter(&large)]).await.unwrap_err();
            assert!(error.message.starts_with("BatchRequestTooLong") && !error.is_transient, "B1: {error}");
        },
    );
}

#[test]
fn d1_d3_d4_delays_are_the_messages_or_the_queues_and_hold_back_the_group() {
    Simulation::new(1).run(async |world| {
        let queue = world.queue(QueueConfig { delay: seconds(60), ..QueueConfig::named("jobs") });
        world.send(&queue, Outgoing { delay: Some(Duration::ZERO), .."now".into() }).unwrap();
        world.send(&queue, "later").unwrap();
        let queues = world.host("host").queues();
        assert_eq!(bodies(&queues.receive(&queue, &NOW).await.unwrap()), "now");
        assert_eq!(world.counts(&queue), Counts { visible: 0, in_flight: 1, delayed: 1 });
        let fifo = world.queue(QueueConfig { delay: seconds(60), ..QueueConfig::named("jobs.fifo") });
        let delayed = Outgoing { delay: Some(seconds(1)), ..Outgoing::in_group("a", "g", "1") };
        assert!(world.send(&fifo, delayed).unwrap_err().starts_with("InvalidParameterValue"));
        world.send(&fifo, Outgoing::in_group("a", "g", "1")).unwrap();
        let started = world.now();
        assert!(queues.receive(&fifo, &LONG).await.unwrap().is_empty());
        world.pass(seconds(30)).await;
        assert_eq!(bodies(&queues.receive(&fifo, &LONG).await.unwrap()), "a");
        assert!(world.now() - started >= seconds(59));
    });
}

#[test]
fn p2_p4_p6_a_long_poll_ends_with_the_first_message_and_a_full_queue_gives_none() {
    Simulation::new(1).run(async |world| {
        let queue = world.queue(QueueConfig { in_flight_limit: 12, ..QueueConfig::named("jobs") });
        let queues = world.host("host").queues();
        let (messages, ()) = tokio::join!(queues.receive(&queue, &LONG), async {
            world.pass(seconds(7)).await;
            (0..20).for_each(|_| drop(world.send(&queue, "a").unwrap()));
        });
        assert!(world.now() < seconds(8) && messages.unwrap().len() == 10);
        assert_eq!(queues.receive(&queue, &NOW).await.unwrap().len(), 2);
        assert!(queues.receive(&queue, &NOW).await.unwrap_err().message.starts_with("OverLimit"));
        assert!(queues.receive(&queue, &Receive { wait: seconds(1), ..NOW }).await.unwrap().is_empty());
    });
}

#[test]
fn p3_v6_h4_what_is_rare_happens_where_it_is_drawn() {
    let rates = Rates { duplicate: 10_000, false_empty: 10_000, forgotten_delete: 10_000, ..Rates::default() };
    let plan = FaultPlan { rates, until: Duration::from_mins(10), ..FaultPlan::none() };
    let disputes = Disputes {
        false_empty: true,
        delete_may_be_forgotten: true,
        ..Disputes::draw(&crate::testing::Stream::new(1))
    };
    Simulation::new(1).faults(plan).disputes(disputes).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs"));
        let queues = world.host("host").queues();
        world.send(&queue, "a").unwrap();
        assert!(queues.receive(&queue, &LONG).await.unwrap().is_empty(), "P3");
        let first = queues.receive(&queue, &NOW).await.unwrap().remove(0);
        let second = queues.receive(&queue, &NOW).await.unwrap().remove(0);
        assert_eq!(second.attributes["ApproximateReceiveCount"], "2", "V6");
        assert_eq!(first.message_id, second.message_id);
        assert_eq!(code(delete(&queues, &queue, &second).await), "200");
        world.pass(Duration::from_mins(40)).await;
        assert_eq!(receive_one(&queues, &queue).await.message_id, first.message_id, "H4");
        assert!(world.history().iter().any(|event| matches!(event.what, What::CameBack { .. })));
    });
}

#[test]
fn b4_b7_b8_b9_what_sqs_does_not_take_is_refused_by_entry() {
    world(
        "jobs",
        |_| (),
        async |world, queue, _| {
            let with = |name: &str, attribute: MessageAttribute| Outgoing {
                attributes: MessageAttributes::from([(name.to_owned(), attribute)]),
                ..Outgoing::from("a")
            };
            let number =
                |text: &str| MessageAttribute { data_type: "Number".to_owned(), ..MessageAttribute::text(text) };
            let refused = [
                ("B4", Outgoing::from("a".repeat(1_048_577).as_str())),
                ("B7", Outgoing::from("")),
                ("B7", Outgoing::from("\u{ffff}")),
                ("B7", Outgoing::from("\u{1}")),
                ("B8", with("AWS.trace", MessageAttribute::text("x"))),
                ("B8", with("a..b", MessageAttribute::text("x"))),
                ("B8", with(".a", MessageAttribute::text("x"))),
                ("B9", with("reason", MessageAttribute::text(""))),
                ("B9", with("reason", MessageAttribute::text("\u{ffff}"))),
                ("B9", with("count", number("many"))),
                ("D1", Outgoing { delay: Some(Duration::from_mins(16)), ..Outgoing::from("a") }),
            ];
            for (fact, outgoing) in refused {
                assert!(world.send(&queue, outgoing).is_err(), "{fact}");
            }
            let names = (0..11).map(|index| (index.to_string(), MessageAttribute::text("x")));
            assert!(world.send(&queue, Outgoing { attributes: names.collect(), .."a".into() }).is_err(), "B8");
            for taken in
                [Outgoing::from("😀\t"), with("count", number("-1.5e3")), with("a.b", MessageAttribute::text("x"))]
            {
                world.send(&queue, taken).unwrap();
            }
        },
    );
}
