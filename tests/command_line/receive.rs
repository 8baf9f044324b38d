//! `sluice receive`.

use serde_json::{Value, json};

use super::sluice::Sluice;

#[test]
fn peeking_puts_everything_back_and_says_that_it_counts() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("peek", &["--visibility", "1h"]);
    sluice.done(&["send", &name, "--body", "x", "--repeat", "25"]);
    for receive_count in [1, 2] {
        let outcome = sluice.run(&["receive", &name, "--max", "100", "--peek", "--output", "json"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stderr.contains("put back 25 messages; each receive count is one higher"), "{outcome:?}");
        let messages: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(messages.len(), 25);
        assert!(messages.iter().all(|message| message["receiveCount"] == receive_count), "{messages:?}");
    }
}

#[test]
fn what_is_deleted_was_printed_and_does_not_come_again() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("take", &["--visibility", "0s"]);
    sluice.done(&["send", &name, "--body", "two\nlines", "-a", "JobType=NewDonor"]);
    let printed = sluice.done(&["receive", &name, "--delete", "--max", "1"]);
    assert!(printed.contains("(receive 1, age "), "{printed}");
    assert!(printed.ends_with("\n  JobType: NewDonor\n  two\nlines\n"), "a pipe gets the body as it is: {printed}");
    let outcome = sluice.run(&["receive", &name, "--wait", "0s"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert!(outcome.stderr.contains("no message was visible"), "{outcome:?}");
}

#[test]
fn without_delete_the_message_comes_back_after_its_visibility() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("visibility", &[]);
    sluice.done(&["send", &name, "--body", "x"]);
    sluice.done(&["receive", &name, "--visibility", "2s"]);
    assert_eq!(sluice.done(&["receive", &name, "--wait", "0s"]), "");
    let again = sluice.done(&["receive", &name, "--wait", "20s", "--delete"]);
    assert!(again.contains("(receive 2, "), "{again}");
}

/// An export of one queue is the import of another.
#[test]
fn what_is_printed_as_json_is_sent_as_the_same_messages() {
    let sluice = Sluice::on_the_stack();
    let (from, to) = (sluice.queue("export", &[]), sluice.queue("import", &[]));
    let bodies: Vec<String> = (0..1_000).map(|number| format!("{{\"n\":{number},\"text\":\"ü\\\\u{{7}}\"}}")).collect();
    let attributes =
        ["-a", "JobType=NewDonor", "-a", "Photo:Binary.png=AAEC", "-a", "Count:Number=5", "--group", "red"];
    let arguments = [&["send", from.as_str(), "--split", "lines", "-"][..], &attributes].concat();
    assert_eq!(sluice.run_with_input(&arguments, &bodies.join("\n")).code, Some(0));
    let taken = |name: &str| {
        let printed = sluice.done(&["receive", name, "--max", "2000", "--delete", "--output", "json"]);
        let mut messages: Vec<String> = printed
            .lines()
            .map(|line| {
                let message: Value = serde_json::from_str(line).unwrap();
                json!([message["body"], message["attributes"], message["groupId"]]).to_string()
            })
            .collect();
        messages.sort_unstable();
        (printed, messages)
    };
    let (printed, exported) = taken(&from);
    assert_eq!(exported.len(), 1_000);
    let outcome = sluice.run_with_input(&["send", &to, "--messages", "-"], &printed);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(taken(&to).1, exported);
}

#[test]
fn only_what_fits_is_taken_and_the_rest_is_visible_again() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("filter", &["--visibility", "1h"]);
    for job in ["NewDonor", "Drill", "NewDonor"] {
        sluice.done(&["send", &name, "--body", job, "-a", &format!("JobType={job}")]);
    }
    let taken = sluice.done(&["receive", &name, "--attribute", "JobType=^New", "--delete", "--output", "json"]);
    assert_eq!(taken.lines().count(), 2, "{taken}");
    let left = sluice.done(&["receive", &name, "--peek", "--output", "json"]);
    assert!(left.lines().count() == 1 && left.contains("Drill"), "{left}");
}
