//! `sluice topic`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use super::sluice::{Outcome, Sluice, new_name, terminate};

#[test]
fn a_queue_hears_of_a_topic_what_its_filter_lets_through() {
    let sluice = Sluice::on_the_stack();
    let topic = new_name("topic");
    let arn = sluice.done(&["topic", "create", &topic]);
    assert_eq!(sluice.done(&["topic", "create", &topic]), arn, "making it again is a success");
    let queue = sluice.queue("hears", &[]);
    let subscribe = ["topic", "subscribe", &topic, "--queue", &queue, "--raw", "--filter", r#"{"kind":["photo"]}"#];
    let first = sluice.run(&subscribe);
    assert!(first.stderr.contains("now lets"), "{first:?}");
    let again = sluice.run(&subscribe);
    assert_eq!((again.code, &again.stdout), (Some(0), &first.stdout));
    assert!(!again.stderr.contains("now lets"), "the policy has it already: {again:?}");
    sluice.done(&["topic", "publish", &topic, "--message", "seen", "-a", "kind=photo", "--subject", "S"]);
    sluice.done(&["topic", "publish", arn.trim_end(), "--message", "unseen", "-a", "kind=other"]);
    let heard = sluice.done(&["consume", &queue, "--until-empty", "--wait", "2s"]);
    assert!(heard.ends_with("\tseen\n") && heard.lines().count() == 1, "{heard}");
}

#[test]
fn a_fifo_topic_keeps_its_groups_in_order_and_takes_queues_only() {
    let sluice = Sluice::on_the_stack();
    let topic = format!("{}.fifo", new_name("topic"));
    sluice.done(&["topic", "create", topic.trim_end_matches(".fifo"), "--fifo"]);
    let queue = format!("{}.fifo", sluice.queue("hears", &["--fifo"]));
    sluice.done(&["topic", "subscribe", &topic, "--queue", &queue, "--raw"]);
    for number in ["1", "2", "3"] {
        sluice.done(&["topic", "publish", &topic, "--group", "a", "--message", number]);
    }
    let heard = sluice.done(&["consume", &queue, "--until-empty", "--wait", "2s"]);
    let bodies: Vec<&str> = heard.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    for arguments in [
        ["topic", "subscribe", &topic, "--email", "ada@example.com"],
        ["topic", "publish", &topic, "--message", "no group"],
    ] {
        assert_eq!(sluice.run(&arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn a_phone_is_sent_an_sms() {
    let sluice = Sluice::on_the_stack();
    let json = sluice.done(&["topic", "publish", "--phone", "+14155550199", "--message", "down", "--output", "json"]);
    assert!(serde_json::from_str::<Value>(&json).unwrap()["messageId"].is_string(), "{json}");
    assert_eq!(sluice.run(&["topic", "publish", "--phone", "4155550199", "--message", "down"]).code, Some(2));
}

#[test]
fn a_topic_that_is_not_there_is_said_with_what_makes_it() {
    let sluice = Sluice::on_the_stack();
    let outcome = sluice.run(&["topic", "publish", "no-such-topic", "--message", "x"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("sluice topic create no-such-topic"), "{outcome:?}");
}

#[test]
fn who_hears_of_a_topic_is_listed_until_it_is_unsubscribed_and_the_topic_deleted() {
    let sluice = Sluice::on_the_stack();
    let (topic, queue) = (new_name("listed"), sluice.queue("listed", &[]));
    let arn = sluice.done(&["topic", "create", &topic]);
    sluice.done(&["topic", "subscribe", &topic, "--queue", &queue]);
    let list = || sluice.done(&["topic", "list", &topic, "--subscriptions"]);
    assert_eq!(list(), format!("{arn}  sqs arn:aws:sqs:us-east-1:000000000000:{queue}\n"));
    sluice.done(&["topic", "unsubscribe", &topic, "--queue", &queue]);
    assert_eq!(list(), arn);
    let again = sluice.run(&["topic", "unsubscribe", &topic, "--queue", &queue]);
    assert!(again.code == Some(1) && again.stderr.contains("does not hear"), "{again:?}");
    let unasked = sluice.run(&["topic", "delete", &topic]);
    assert!(unasked.code == Some(2) && unasked.stderr.contains("--yes"), "{unasked:?}");
    sluice.done(&["topic", "delete", &topic, "--yes"]);
    assert_eq!(sluice.done(&["topic", "list", &topic]), "");
}

#[test]
fn what_is_published_is_printed_as_it_is_said_and_nothing_is_left_behind() {
    let sluice = Sluice::on_the_stack();
    for kind in [&[][..], &["--fifo"]] {
        let name = new_name("tail");
        let arn = sluice.done(&[&["topic", "create", &name], kind].concat());
        let topic = arn.trim_end();
        let mut child = sluice.start(&["topic", "tail", topic]);
        let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(notes.next().unwrap().unwrap().starts_with("listening to"));
        let group = if kind.is_empty() { &[][..] } else { &["--group", "g"] };
        let publish =
            ["topic", "publish", topic, "--message", "has 2% left", "--subject", "Disk full", "-a", "kind=disk"];
        sluice.done(&[&publish, group].concat());
        let heard: Vec<String> =
            BufReader::new(child.stdout.as_mut().unwrap()).lines().take(3).map(Result::unwrap).collect();
        assert!(heard[0].ends_with("Disk full"), "{heard:?}");
        assert_eq!(heard[1..], ["  kind: disk", "  has 2% left"]);
        terminate(&child);
        drop(child.stdout.take());
        assert_eq!(Outcome::of(child).code, Some(0));
        assert_eq!(sluice.done(&["topic", "list", &name, "--subscriptions"]), arn);
    }
    assert_eq!(sluice.done(&["queue", "list", "sluice-tail-"]), "");
}
