//! `sluice redrive`.

use std::collections::HashSet;

use serde_json::Value;

use super::sluice::{Outcome, Sluice, eventually, new_name, terminate};
use crate::aws::Aws;

fn visible(sluice: &Sluice, name: &str) -> u64 {
    let status = sluice.done(&["queue", "status", name, "--output", "json"]);
    serde_json::from_str::<Value>(status.lines().next().unwrap()).unwrap()["visible"].as_u64().unwrap()
}

/// A queue whose 40 messages were rejected, every second one for another reason.
fn rejected(sluice: &Sluice, settings: &[&str]) -> String {
    let name = sluice.queue("redrive", &[&["--dlq", "--max-receives", "5"], settings].concat());
    let bodies: Vec<String> = (0..40).map(|number| format!("{{\"number\":{number}}}")).collect();
    let input = format!("[{}]", bodies.join(","));
    let outcome = sluice.run_with_input(&["send", &name, "-a", "JobType=NewDonor", "-"], &input);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let script = "cat > /dev/null; exit 65";
    sluice.run(&["consume", &name, "--until-empty", "--wait", "1s", "--exec", "sh", "-c", script]);
    assert_eq!(visible(sluice, &format!("{name}-dlq")), 40);
    name
}

fn bodies(sluice: &Sluice, name: &str) -> Vec<String> {
    let printed = sluice.done(&["consume", name, "--until-empty", "--wait", "1s", "--output", "json"]);
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| Some(line["body"].as_str()?.to_owned())).collect()
}

#[test]
fn what_matches_goes_back_with_its_attributes_and_the_rest_stays() {
    let sluice = Sluice::on_the_stack();
    let name = rejected(&sluice, &[]);
    let dlq = format!("{name}-dlq");
    let would = sluice.done(&["redrive", &dlq, "--match", r":1\d\}", "--dry-run"]);
    assert!(would.contains(&format!("10 messages would be moved: 10 to {name}; 30 did not match")), "{would}");
    assert_eq!((visible(&sluice, &name), visible(&sluice, &dlq)), (0, 40));
    let moved = sluice.done(&["redrive", &dlq, "--match", r":1\d\}"]);
    assert!(moved.contains(&format!("10 messages moved: 10 to {name}; 30 did not match")), "{moved}");
    assert_eq!((visible(&sluice, &name), visible(&sluice, &dlq)), (10, 30));
    let shown = sluice.done(&["receive", &name, "--max", "1", "--visibility", "0s"]);
    assert!(shown.contains("JobType: NewDonor") && shown.contains("sluicegate.redriven-from: "), "{shown}");
    assert!(!shown.contains("sluicegate.reason"), "{shown}");
    assert!(sluice.done(&["redrive", &dlq, "--max", "5", "--rate", "50/s"]).starts_with("5 messages moved"));
    assert!(sluice.done(&["redrive", &dlq, "--reason", "exit code 65"]).starts_with("25 messages moved"));
    let all: HashSet<String> = bodies(&sluice, &name).into_iter().collect();
    assert_eq!((all.len(), visible(&sluice, &dlq)), (40, 0), "nothing is lost");
}

#[test]
fn a_letter_that_does_not_say_whence_needs_to() {
    let sluice = Sluice::on_the_stack();
    let (dlq, other) = (sluice.queue("nowhere", &[]), sluice.queue("other", &[]));
    sluice.done(&["send", &dlq, "--body", "x"]);
    let outcome = sluice.run(&["redrive", &dlq]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("add --to QUEUE"), "{outcome:?}");
    assert_eq!(visible(&sluice, &dlq), 1, "it is visible again at once");
    assert!(sluice.done(&["redrive", &dlq, "--to", &other]).starts_with("1 messages moved"));
    assert_eq!(bodies(&sluice, &other), ["x"]);
    assert_eq!(sluice.run(&["redrive", &dlq, "--to", &dlq]).code, Some(2));
}

#[test]
fn an_endpoint_without_move_tasks_is_said() {
    let sluice = Sluice::on_the_stack();
    let dlq = sluice.queue("server", &[]);
    let outcome = sluice.run(&["redrive", &dlq, "--server"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("leave --server out"), "{outcome:?}");
}

/// Letters that the worker rejects as soon as they are back.
#[test]
fn a_redrive_ends_by_itself_and_moves_each_letter_once() {
    let sluice = Sluice::on_the_stack();
    let name = rejected(&sluice, &[]);
    let dlq = format!("{name}-dlq");
    let worker = sluice.start(&["consume", &name, "--wait", "1s", "--exec", "sh", "-c", "cat > /dev/null; exit 65"]);
    let moved = sluice.done(&["redrive", &dlq, "--to", &name]);
    terminate(&worker);
    Outcome::of(worker);
    assert!(moved.starts_with(&format!("40 messages moved: 40 to {name}")), "{moved}");
    assert_eq!(visible(&sluice, &name) + visible(&sluice, &dlq), 40, "nothing is lost");
}

/// An SQS that answers at once, and a process that may open 256 files.
#[tokio::test]
async fn twenty_thousand_letters_go_home_with_few_connections_and_less_than_a_third_of_a_request_each() {
    let aws = Aws::start((0..20_000).map(|number| format!("{{\"number\":{number}}}"))).await;
    let mut sluice = Sluice::on_the_stack();
    sluice.settings.insert("AWS_ENDPOINT_URL".to_owned(), aws.url());
    let [dlq, to] = ["letters", "jobs"].map(|name| format!("{}/123456789012/{name}", aws.url()));
    let mut shell = sluice.command(&"bash".into());
    shell.args(["-c", "ulimit -n 256; exec \"$0\" redrive \"$1\" --to \"$2\"", sluice.program(), &dlq, &to]);
    let outcome = tokio::task::spawn_blocking(move || Outcome::of(shell.spawn().unwrap())).await.unwrap();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.starts_with("20000 messages moved: 20000 to jobs"), "{outcome:?}");
    let sent: HashSet<String> =
        aws.entries("SendMessageBatch").iter().map(|entry| entry["MessageBody"].to_string()).collect();
    let (deleted, in_flight) = {
        let queue = aws.queue();
        (queue.deleted.len(), queue.in_flight())
    };
    assert_eq!((sent.len(), deleted, in_flight), (20_000, 20_000, 0));
    assert!(aws.count() < 20_000 / 3, "{} requests", aws.count());
}

/// SQS itself moves letters of two queues to one dead-letter queue, and says from where.
#[test]
fn letters_of_two_queues_in_one_dead_letter_queue_each_go_home() {
    let sluice = Sluice::on_the_stack();
    let shared = sluice.queue("shared", &[]);
    let sources = ["left", "right"].map(|purpose| {
        let name = sluice.queue(purpose, &["--dlq", &shared, "--max-receives", "1"]);
        sluice.done(&["send", &name, "--body", &name]);
        sluice.done(&["receive", &name, "--visibility", "0s"]);
        sluice.done(&["receive", &name, "--wait", "1s"]);
        name
    });
    assert_eq!(visible(&sluice, &shared), 2);
    let moved = sluice.done(&["redrive", &shared]);
    assert!(moved.starts_with("2 messages moved"), "{moved}");
    for name in sources {
        assert_eq!(bodies(&sluice, &name), [name]);
    }
}

/// Whoever may write to the dead-letter queue may write any note.
#[test]
fn a_note_is_believed_only_of_a_queue_whose_redrive_policy_leads_here() {
    let sluice = Sluice::on_the_stack();
    let (dlq, other) = (sluice.queue("noted", &[]), sluice.queue("innocent", &[]));
    let note = format!("sluicegate.source=arn:aws:sqs:us-east-1:000000000000:{other}");
    sluice.done(&["send", &dlq, "--body", "x", "-a", &note]);
    let outcome = sluice.run(&["redrive", &dlq]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let reason = format!("its redrive policy does not name {dlq}");
    assert!(outcome.stderr.contains(&reason) && outcome.stderr.contains("add --to QUEUE"), "{outcome:?}");
    assert_eq!((visible(&sluice, &dlq), visible(&sluice, &other)), (1, 0));
}

/// The whole of it: the deployed worker rejects, an operator looks, filters and sends on.
#[test]
fn what_the_worker_rejected_is_looked_at_filtered_and_sent_on_with_nothing_lost() {
    let sluice = Sluice::on_the_stack();
    let stack = crate::stack::Stack::of_make_test();
    let (jobs, dlq) = (stack.output("JobQueueUrl"), stack.output("JobDeadLetterQueueUrl"));
    let mark = new_name("nameless");
    let donors: Vec<String> = (0..20).map(|number| format!("{{\"mark\":\"{mark}\",\"number\":{number}}}")).collect();
    let input = format!("[{}]", donors.join(","));
    let outcome = sluice.run_with_input(&["send", jobs, "-a", "JobType=NewDonor", "-"], &input);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let found = format!("20 messages would be moved: 20 to {}", jobs.rsplit('/').next().unwrap());
    let would = ["redrive", dlq, "--match", &mark, "--reason", "no name", "--dry-run"];
    eventually(|| sluice.done(&would).contains(&found).then_some(()));
    let own = sluice.queue("letters", &[]);
    let moved = sluice.done(&["redrive", dlq, "--match", &mark, "--to", &own]);
    assert!(moved.starts_with("20 messages moved"), "{moved}");
    let sent_on: HashSet<String> = bodies(&sluice, &own).into_iter().collect();
    assert_eq!(sent_on, donors.into_iter().collect());
    assert!(sluice.done(&["redrive", dlq, "--match", &mark, "--dry-run"]).starts_with("0 messages"));
}
