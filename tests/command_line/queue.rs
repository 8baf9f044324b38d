//! `sluice queue`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use super::sluice::{Outcome, Sluice, new_name, terminate};

#[test]
fn creating_a_queue_again_succeeds_with_the_same_settings_and_names_each_other_one() {
    let sluice = Sluice::on_the_stack();
    let name = new_name("create");
    let create = |arguments: &[&str]| sluice.run(&[&["queue", "create", &name], arguments].concat());
    let settings = ["--delay", "5s", "--wait", "20s", "--dlq", "--max-receives", "3", "--tag", "team=a"];
    let first = create(&settings);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.trim_end().ends_with(&format!("/{name}")), "{first:?}");
    let again = create(&settings);
    assert_eq!((again.code, &again.stdout), (Some(0), &first.stdout), "{again:?}");
    let other = create(&["--delay", "10s", "--dlq", "--tag", "team=b"]);
    assert_eq!(other.code, Some(1), "{other:?}");
    for difference in ["delay is 5s, asked for 10s", "after 3 receives, asked for", "tag team is a, asked for b"] {
        assert!(other.stderr.contains(difference), "{difference} in {other:?}");
    }
    assert!(sluice.done(&["queue", "list", &name]).contains(&format!("{name}-dlq\n")));
}

#[test]
fn a_fifo_queue_has_a_fifo_dead_letter_queue() {
    let sluice = Sluice::on_the_stack();
    let name = new_name("fifo");
    let json = sluice.done(&["queue", "create", &name, "--fifo", "--dlq", "--output", "json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["created"], true);
    assert!(answer["url"].as_str().unwrap().ends_with(&format!("/{name}.fifo")), "{answer}");
    assert!(answer["deadLetterQueueUrl"].as_str().unwrap().ends_with(&format!("/{name}-dlq.fifo")), "{answer}");
}

#[test]
fn a_queue_is_found_by_name_url_and_arn() {
    let sluice = Sluice::on_the_stack();
    let name = new_name("reference");
    let url = sluice.done(&["queue", "create", &name]);
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    for reference in [name.as_str(), url.trim_end(), &arn] {
        let table = sluice.done(&["queue", "status", reference]);
        assert!(table.lines().nth(1).unwrap().starts_with(&name), "{table}");
    }
}

#[test]
fn status_counts_visible_delayed_and_dead_messages() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("status", &["--dlq"]);
    sluice.done(&["send", &name, "--body", "x", "--repeat", "12"]);
    sluice.done(&["send", &name, "--body", "x", "--delay", "15m"]);
    sluice.done(&["send", &format!("{name}-dlq"), "--body", "x"]);
    sluice.done(&["receive", &name, "--max", "2", "--visibility", "1m"]);
    let status: Value = serde_json::from_str(&sluice.done(&["queue", "status", &name, "--output", "json"])).unwrap();
    assert_eq!([&status["visible"], &status["inFlight"], &status["delayed"]], [10, 2, 1]);
    assert_eq!(status["deadLetters"]["messages"], 1);
    assert_eq!(status["oldestMessage"]["state"], "notCounted", "the local CloudWatch has no such figure: {status}");
}

#[test]
fn watching_into_a_pipe_prints_three_lines_and_a_blank_one_a_tick_until_sigterm() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("watch", &[]);
    sluice.done(&["send", &name, "--body", "x", "--repeat", "3"]);
    let mut child = sluice.start(&["queue", "status", &name, "--watch", "--every", "200ms"]);
    let lines: Vec<String> =
        BufReader::new(child.stdout.as_mut().unwrap()).lines().take(8).map(Result::unwrap).collect();
    let tick = [
        "3 ApproximateNumberOfMessages",
        "0 ApproximateNumberOfMessagesNotVisible",
        "0 ApproximateNumberOfMessagesDelayed",
        "",
    ];
    assert_eq!(lines, [tick, tick].concat());
    terminate(&child);
    drop(child.stdout.take());
    assert_eq!(Outcome::of(child).code, Some(0));
}

#[test]
fn a_queue_is_changed_where_it_was_asked_and_shown_as_it_is() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("set", &["--delay", "5s", "--tag", "team=a"]);
    let dead = sluice.queue("set-dead", &[]);
    let settings = ["--visibility", "3m", "--dlq", &dead, "--max-receives", "7", "--tag", "stage=dev"];
    let changed = sluice.done(&[&["queue", "set", &name], settings.as_slice()].concat());
    for change in ["visibility was 30s, is 3m", "after 7 receives", "tag stage was none, is dev"] {
        assert!(changed.contains(change), "{change} in {changed}");
    }
    let shown = sluice.done(&["queue", "show", &name]);
    for fact in ["delay                5s", "visibility           3m", "stage=dev, team=a", &format!("{dead} after 7")]
    {
        assert!(shown.contains(fact), "{fact} in {shown}");
    }
    // The local AWS knows no ListDeadLetterSourceQueues.
    assert!(shown.contains("dead letters of      –\n"), "{shown}");
    sluice.done(&["queue", "set", &name, "--no-dlq"]);
    let json: Value = serde_json::from_str(&sluice.done(&["queue", "show", &name, "--output", "json"])).unwrap();
    assert!(json["attributes"]["RedrivePolicy"].as_str().unwrap_or_default().is_empty(), "{json}");
    for wrong in [&["queue", "set", &name][..], &["queue", "set", &name, "--max-receives", "3"]] {
        assert_eq!(sluice.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_list_with_counts_says_what_is_in_a_queue_and_whose_dead_letters_come_to_it() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("list", &["--dlq"]);
    sluice.done(&["send", &name, "--body", "x", "--repeat", "3"]);
    let listed = sluice.done(&["queue", "list", &name, "--counts"]);
    let words = |line: &str| line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = listed.lines().skip(1).map(words).collect();
    let dead = format!("{name}-dlq");
    let wanted = [[&name, "3", "0", "0", "to", &dead], [&dead, "0", "0", "0", "of", &name]];
    for row in wanted {
        assert!(rows.iter().any(|found| *found == row), "{row:?} in {listed}");
    }
}

#[test]
fn purge_and_delete_do_nothing_unasked() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("purge", &[]);
    sluice.done(&["send", &name, "--body", "x"]);
    for deed in ["purge", "delete"] {
        let outcome = sluice.run(&["queue", deed, &name]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains("--yes"), "{outcome:?}");
    }
    sluice.done(&["queue", "purge", &name, "--yes"]);
    assert_eq!(sluice.done(&["receive", &name, "--wait", "0s"]), "");
    sluice.done(&["queue", "delete", &name, "--yes"]);
    assert!(!sluice.done(&["queue", "list", &name]).contains(&name));
}
