//! The facts of `AWS-SEMANTICS.md` §8–§10, by their numbers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use crate::{
    delivery::{Invoke, InvokeError, TargetFunction},
    events,
    testing::*,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The bodies of each invocation.
type Seen = Rc<RefCell<Vec<String>>>;

/// A function that notes what it sees, works for a second, and answers so.
fn answering(
    world: &World,
    config: FunctionConfig,
    answer: impl Fn(&str) -> Result<String, String> + Clone + 'static,
) -> Seen {
    let seen = Seen::default();
    let noted = seen.clone();
    world.function(config, move |_| {
        let (seen, answer) = (noted.clone(), answer.clone());
        Box::new(async move |event: &str, _: Duration| {
            let batch = events::read_batch(event).ok().flatten();
            let bodies = batch.map_or_else(
                || event.to_owned(),
                |batch| batch.records.iter().flatten().map(|record| record.body.as_str()).collect::<Vec<_>>().join(" "),
            );
            seen.borrow_mut().push(bodies.clone());
            tokio::time::sleep(seconds(1)).await;
            answer(&bodies)
        })
    });
    seen
}

fn disputes(settle: impl FnOnce(&mut Disputes)) -> Disputes {
    let mut disputes = Disputes::draw(&Stream::new(1));
    disputes.mapping_lingers = false;
    settle(&mut disputes);
    disputes
}

fn ends(world: &World) -> Vec<End> {
    let end = |event: &Event| if let What::Ended { end, .. } = event.what { Some(end) } else { None };
    world.history().iter().filter_map(end).collect()
}

fn worker() -> FunctionConfig {
    FunctionConfig::named("worker", seconds(10))
}

#[test]
fn e1_e4_e14_a_batch_of_up_to_ten_is_deleted_when_it_was_answered() {
    Simulation::new(1).disputes(disputes(|_| ())).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs"));
        (0..25).for_each(|number| drop(world.send(&queue, number.to_string().as_str()).unwrap()));
        let seen = answering(world, worker(), |_| Ok("null".to_owned()));
        world.mapping(MappingConfig::of("jobs", "worker"));
        assert!(world.until_drained(&queue, seconds(10)).await);
        let mut sizes: Vec<usize> = seen.borrow().iter().map(|bodies| bodies.split(' ').count()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [5, 10, 10]);
    });
}

#[test]
fn e5_a_window_gathers_more_than_one_receive() {
    Simulation::new(1).disputes(disputes(|_| ())).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs"));
        let seen = answering(world, worker(), |_| Ok("null".to_owned()));
        world.mapping(MappingConfig { batch_size: 100, window: seconds(5), ..MappingConfig::of("jobs", "worker") });
        for number in 0..30 {
            world.send(&queue, number.to_string().as_str()).unwrap();
            world.pass(Duration::from_millis(100)).await;
        }
        assert!(world.until_drained(&queue, seconds(20)).await);
        assert_eq!(seen.borrow().len(), 1);
    });
}

#[test]
fn a2_a7_e15_what_is_named_comes_back_after_its_visibility_and_what_failed_too() {
    for (reports, answer) in [(true, Ok(())), (true, Err(())), (false, Ok(()))] {
        Simulation::new(1).disputes(disputes(|_| ())).run(async |world| {
            let queue = world.queue(QueueConfig::named("jobs"));
            let bad = world.send(&queue, "bad").unwrap();
            world.send(&queue, "good").unwrap();
            let named = format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{bad}"}}]}}"#);
            let seen =
                answering(world, worker(), move |_| answer.map(|()| named.clone()).map_err(|()| "no".to_owned()));
            world.mapping(MappingConfig { reports_item_failures: reports, ..MappingConfig::of("jobs", "worker") });
            world.pass(seconds(25)).await;
            assert_eq!(
                world.counts(&queue).in_flight,
                match (reports, answer) {
                    (false, _) => 0,
                    (_, Ok(())) => 1,
                    _ => 2,
                }
            );
            world.pass(seconds(15)).await;
            assert_eq!(seen.borrow().len(), if reports { 2 } else { 1 });
        });
    }
}

#[test]
fn e10_e16_a_throttled_batch_is_tried_again_and_then_let_go() {
    for (tries, expected) in [(0, 1), (2, 3)] {
        Simulation::new(1).disputes(disputes(|disputes| disputes.throttle_tries = tries)).run(async |world| {
            let queue = world.queue(QueueConfig::named("jobs"));
            world.send(&queue, "a").unwrap();
            answering(world, FunctionConfig { concurrency: 0, ..worker() }, |_| Ok("null".to_owned()));
            world.mapping(MappingConfig::of("jobs", "worker"));
            world.pass(seconds(29)).await;
            let throttles = world.history().iter().filter(|event| matches!(event.what, What::Throttled { .. })).count();
            assert_eq!((throttles, world.messages(&queue)[0].receives), (expected, 1));
        });
    }
}

#[test]
fn e10_no_more_invocations_run_than_the_mapping_allows() {
    Simulation::new(1).disputes(disputes(|_| ())).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs"));
        (0..10).for_each(|_| drop(world.send(&queue, "a").unwrap()));
        answering(world, worker(), |_| Ok("null".to_owned()));
        world.mapping(MappingConfig { batch_size: 1, max_concurrency: Some(2), ..MappingConfig::of("jobs", "worker") });
        assert!(world.until_drained(&queue, seconds(30)).await);
        let mut running = 0;
        for event in world.history() {
            running += match event.what {
                What::Started { .. } => 1,
                What::Ended { .. } => -1,
                _ => 0,
            };
            assert!(running <= 2);
        }
        assert!(world.now() > seconds(5), "two at a time, a second each");
    });
}

#[test]
fn e12_e13_a_group_has_one_invocation_at_a_time_and_a_batch_one_group_or_several() {
    for several in [true, false] {
        Simulation::new(1).disputes(disputes(|disputes| disputes.several_groups = several)).run(async |world| {
            let queue = world.queue(QueueConfig::named("jobs.fifo"));
            for (number, group) in [("1", "g"), ("2", "g"), ("3", "h")] {
                world.send(&queue, Outgoing::in_group(number, group, number)).unwrap();
            }
            let seen = answering(world, worker(), |_| Ok("null".to_owned()));
            world.mapping(MappingConfig::of("jobs.fifo", "worker"));
            world.pass(seconds(1)).await;
            world.send(&queue, Outgoing::in_group("4", "g", "4")).unwrap();
            assert!(world.until_drained(&queue, seconds(10)).await);
            let mut batches = seen.borrow().clone();
            batches.sort_unstable();
            assert_eq!(batches, if several { vec!["1 2 3", "4"] } else { vec!["1 2", "3", "4"] });
        });
    }
}

#[test]
fn l10_l12_a_process_dies_at_its_time_out_and_a_warm_one_is_used_again() {
    Simulation::new(1).run(async |world| {
        let made = Rc::new(RefCell::new(0));
        let count = made.clone();
        world.function(worker(), move |_| {
            *count.borrow_mut() += 1;
            Box::new(async |event: &str, remaining: Duration| {
                if event == "hang" {
                    tokio::time::sleep(2 * remaining).await;
                }
                Ok("null".to_owned())
            })
        });
        let function = world.host("caller").function("worker");
        for (payload, is_answered, processes) in [("a", true, 1), ("b", true, 1), ("hang", false, 1), ("c", true, 2)] {
            let answer = function.invoke(payload, Invoke::RequestResponse).await;
            assert_eq!((answer.is_ok(), *made.borrow()), (is_answered, processes), "{payload}: {answer:?}");
        }
        assert_eq!(ends(world), [End::Answered, End::Answered, End::TimedOut, End::Answered]);
    });
}

#[test]
fn l1_l5_an_event_is_tried_three_times_and_then_kept_by_its_destination() {
    Simulation::new(1).disputes(disputes(|disputes| disputes.event_may_run_twice = false)).run(async |world| {
        let given_up = world.queue(QueueConfig::named("given-up"));
        let seen = answering(world, FunctionConfig { on_failure: Some("given-up".to_owned()), ..worker() }, |_| {
            Err("no".to_owned())
        });
        let function = world.host("caller").function("worker");
        assert_eq!(function.invoke(r#"{"a":1}"#, Invoke::Event).await, Ok(String::new()));
        assert!(world.now() < seconds(1), "L6: the answer does not wait");
        assert!(world.until(seconds(240), |world| world.counts(&given_up).visible == 1).await);
        assert!(world.now() > seconds(160) && seen.borrow().len() == 3);
        let record: serde_json::Value = serde_json::from_str(&world.messages(&given_up)[0].sent.body).unwrap();
        assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
        assert_eq!(
            (&record["requestPayload"]["a"], &record["requestContext"]["approximateInvokeCount"]),
            (&1.into(), &3.into())
        );
    });
}

#[test]
fn l2_l4_a_throttled_event_waits_and_no_concurrency_at_all_gives_it_up_at_once() {
    Simulation::new(1).disputes(disputes(|disputes| disputes.event_may_run_twice = false)).run(async |world| {
        let seen = answering(world, FunctionConfig { concurrency: 1, ..worker() }, |_| Ok("null".to_owned()));
        answering(world, FunctionConfig { concurrency: 0, ..FunctionConfig::named("off", seconds(1)) }, |_| {
            Ok("null".to_owned())
        });
        let host = world.host("caller");
        for _ in 0..3 {
            host.function("worker").invoke("1", Invoke::Event).await.unwrap();
        }
        host.function("off").invoke("1", Invoke::Event).await.unwrap();
        world.pass(seconds(60)).await;
        assert_eq!(seen.borrow().len(), 3);
        assert!(world.history().iter().any(|event| matches!(event.what, What::GivenUp { is_kept: false, .. })), "L4");
    });
}

#[test]
fn l7_l8_l9_a_synchronous_call_tells_what_happened() {
    Simulation::new(1).run(async |world| {
        let text = |outcome: &str| match outcome {
            "fail" => Err("no".to_owned()),
            "large" => Ok("a".repeat(7_000_000)),
            outcome => Ok(format!("\"{outcome}\"")),
        };
        answering(world, FunctionConfig { concurrency: 1, ..worker() }, text);
        let host = world.host("caller");
        let call = async |payload: &str| host.function("worker").invoke(payload, Invoke::RequestResponse).await;
        assert_eq!(call("fine").await.unwrap(), "\"fine\"");
        assert!(matches!(call("fail").await, Err(InvokeError::Failed(_))));
        assert!(matches!(call("large").await, Err(InvokeError::Failed(_))));
        assert!(matches!(call(&"a".repeat(7_000_000)).await, Err(InvokeError::PayloadRefused(_))));
        let (one, other) = tokio::join!(call("a"), call("b"));
        assert!(one.is_ok() && matches!(other, Err(InvokeError::Throttled(_))) || other.is_ok());
        assert!(matches!(host.function("nobody").invoke("", Invoke::Event).await, Err(InvokeError::Refused(_))));
    });
}

#[test]
fn s10_a_schedule_fires_every_minute_and_may_fire_twice() {
    for (twice, expected) in [(0, 10), (10_000, 20)] {
        let rates = Rates { twice, ..Rates::default() };
        let plan = FaultPlan { rates, until: Duration::from_hours(1), ..FaultPlan::none() };
        let settled = disputes(|disputes| disputes.event_may_run_twice = false);
        Simulation::new(1).faults(plan).disputes(settled).run(async |world| {
            let seen = answering(world, worker(), |_| Ok("null".to_owned()));
            world.schedule("worker", seconds(60), "{}");
            world.pass(seconds(655)).await;
            assert_eq!(seen.borrow().len(), expected);
        });
    }
}

#[test]
fn a_killed_process_drops_its_work_and_its_calls_have_no_effect_any_more() {
    let rates = Rates { kill: 10_000, ..Rates::default() };
    let plan = FaultPlan { rates, until: Duration::from_mins(1), ..FaultPlan::none() };
    Simulation::new(3).faults(plan).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs"));
        let id = world.send(&queue, "a").unwrap();
        world.function(worker(), |host| {
            let host = host.clone();
            Box::new(async move |event: &str, _: Duration| {
                let batch = events::read_batch(event).unwrap().unwrap();
                let work = host.work(&batch.records[0].as_ref().unwrap().message_id);
                for _ in 0..100 {
                    host.call("mail").await.unwrap();
                }
                work.succeed();
                Ok("null".to_owned())
            })
        });
        world.mapping(MappingConfig::of("jobs", "worker"));
        assert!(world.until_drained(&queue, Duration::from_mins(5)).await);
        assert!(ends(world).contains(&End::Killed));
        let work = |event: &Event| if let What::Work { work, .. } = event.what { Some(work) } else { None };
        let works: Vec<Work> = world.history().iter().filter_map(work).collect();
        assert_eq!(works.last(), Some(&Work::Succeeded), "{}", world.timeline(Some(&id)));
        assert_eq!(works.len() % 2, 0, "what began has ended");
    });
}

#[test]
fn the_event_is_lambdas_to_the_field() {
    Simulation::new(1).disputes(disputes(|_| ())).run(async |world| {
        let queue = world.queue(QueueConfig::named("jobs.fifo"));
        let attribute =
            events::MessageAttribute { data_type: "Binary".to_owned(), value: events::AttributeValue::Binary(vec![1]) };
        let outgoing =
            Outgoing { attributes: [("photo".to_owned(), attribute)].into(), ..Outgoing::in_group("a", "g", "1") };
        world.send(&queue, outgoing).unwrap();
        let seen = Seen::default();
        let noted = seen.clone();
        world.function(worker(), move |_| {
            let seen = noted.clone();
            Box::new(async move |event: &str, _: Duration| {
                seen.borrow_mut().push(event.to_owned());
                Ok("null".to_owned())
            })
        });
        world.mapping(MappingConfig::of("jobs.fifo", "worker"));
        assert!(world.until_drained(&queue, seconds(10)).await);
        let event: serde_json::Value = serde_json::from_str(&seen.borrow()[0]).unwrap();
        let record = &event["Records"][0];
        let names = |value: &serde_json::Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            names(record),
            "attributes awsRegion body eventSource eventSourceARN md5OfBody messageAttributes messageId receiptHandle"
        );
        assert_eq!(
            names(&record["attributes"]),
            "ApproximateFirstReceiveTimestamp ApproximateReceiveCount MessageDeduplicationId MessageGroupId SenderId \
             SentTimestamp SequenceNumber"
        );
        assert_eq!(record["messageAttributes"]["photo"]["binaryValue"], "AQ==");
        assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:123456789012:jobs.fifo");
        assert_eq!(record["awsRegion"], "us-east-1");
    });
}
