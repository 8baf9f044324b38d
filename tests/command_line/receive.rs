//! `sluice receive`.

use serde_json::Value;

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
