//! `sluice send`.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read, Write},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::sluice::{Outcome, Sluice, new_name, terminate};
use crate::{aws::Aws, stack::repository};

#[test]
fn a_file_sends_a_message_an_element_and_prints_each_id() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("file", &[]);
    let file = repository().join("events/data/fast_data.json");
    let donors: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let ids = sluice.done(&["send", &name, "--file", file.to_str().unwrap(), "-a", "JobType=NewDonor"]);
    assert_eq!(ids.lines().collect::<HashSet<_>>().len(), donors.len());
    let received = sluice.done(&["receive", &name, "--max", "1000", "--delete", "--output", "json"]);
    let mut received: Vec<Value> = received.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    received.sort_by_key(|message| ids.lines().position(|id| message["messageId"] == id));
    assert_eq!(received.len(), donors.len());
    for (message, donor) in received.iter().zip(&donors) {
        assert_eq!(&serde_json::from_str::<Value>(message["body"].as_str().unwrap()).unwrap(), donor);
        assert_eq!(message["attributes"]["JobType"]["stringValue"], "NewDonor");
    }
}

#[test]
fn batches_are_cut_at_one_mebibyte() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("bytes", &[]);
    let line = "x".repeat(300 * 1024);
    let input = [line.as_str(); 7].join("\n");
    let outcome = sluice.run_with_input(&["send", &name, "--split", "lines", "-"], &input);
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 7), "{}", outcome.stderr);
}

#[test]
fn messages_of_a_fifo_queue_arrive_in_order_and_none_is_taken_for_another() {
    let sluice = Sluice::on_the_stack();
    let name = format!("{}.fifo", new_name("ordered"));
    sluice.done(&["queue", "create", &name]);
    let input = (0..35).map(|number| (number % 3).to_string()).collect::<Vec<_>>().join("\n") + "\n";
    let outcome = sluice.run_with_input(&["send", &name, "--group", "g", "--split", "lines", "-"], &input);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let received = sluice.done(&["receive", &name, "--max", "100", "--delete", "--output", "json"]);
    let bodies: String = received
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].as_str().unwrap().to_owned() + "\n")
        .collect();
    assert_eq!(bodies, input);
}

#[test]
fn what_sqs_would_refuse_is_refused_before_anything_is_sent() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("limits", &[]);
    let eleven: Vec<String> = (0..11).map(|number| format!("--attribute=A{number}=x")).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    let body = ["send", name.as_str(), "--body", "x"];
    for arguments in [
        [&body[..], &["--delay", "901s"]].concat(),
        [&body[..], &eleven].concat(),
        [&body[..], &["--dedup", "d"]].concat(),
        [&body[..], &["--attribute", "AWS.Name=x"]].concat(),
        vec!["send", "orders.fifo", "--body", "x"],
        vec!["send", name.as_str()],
    ] {
        assert_eq!(sluice.run(&arguments).code, Some(2), "{arguments:?}");
    }
    let too_long = format!("{{\"n\":1}}\n\"{}\"", "x".repeat(1_048_577));
    for (damaged, place) in [
        (too_long.as_str(), "the message at"),
        ("[{\"n\":1},\n]", "trailing comma at line 2 column 1"),
        ("[{\"n\":1},\n{\"n\":2}", "at line 2 column 7"),
        ("{\"n\":1},\n{\"n\":2}", "line 1 column 8"),
    ] {
        let file = std::env::temp_dir().join(new_name("damaged"));
        std::fs::write(&file, damaged).unwrap();
        let outcome = sluice.run(&["send", &name, "--file", file.to_str().unwrap()]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains("nothing was sent") && outcome.stderr.contains(place), "{}", outcome.stderr);
    }
    assert_eq!(sluice.done(&["receive", &name, "--wait", "0s"]), "");
}

#[test]
fn bulk_input_is_read_right_however_it_is_written() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("bulk", &[]);
    for input in ["\u{feff}[{\"n\":1},{\"n\":2}]", "{\"n\":1}{\"n\":2}", "{\n \"n\": 1\n}\n{\n \"n\": 2\n}\n"] {
        let outcome = sluice.run_with_input(&["send", &name, "-"], input);
        assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 2), "{input}: {outcome:?}");
    }
}

/// `sluice send jobs --file <(jq …)`: it can be read once only.
#[test]
fn a_pipe_by_name_is_sent_as_stdin_is() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("named", &[]);
    let script = r#"exec "$1" send "$2" --repeat 2 --file <(printf '{"n":1}\n{"n":2}\n')"#;
    let sent = sluice.command(&"/bin/bash".into()).args(["-c", script, "-", sluice.program(), &name]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&sent.stdout).lines().count(), 4, "{sent:?}");
}

#[test]
fn a_reader_that_goes_away_changes_neither_what_is_sent_nor_the_exit_code() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("head", &[]);
    let lines = (0..2_000).map(|number| format!("{{\"n\":{number}}}")).collect::<Vec<_>>().join("\n");
    let file = std::env::temp_dir().join(new_name("lines"));
    std::fs::write(&file, lines).unwrap();
    let mut child = sluice.start(&["send", &name, "--file", file.to_str().unwrap()]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let outcome = Outcome::of(child);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let status = sluice.done(&["queue", "status", &name, "--output", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&status).unwrap()["visible"], 2_000);
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("blocked", &[]);
    // 37 bytes an id: more than a pipe holds.
    let child = sluice.start(&["send", &name, "--body", "x", "--repeat", "3000"]);
    let until = Instant::now() + Duration::from_mins(1);
    let visible = || {
        let status = sluice.done(&["queue", "status", &name, "--output", "json"]);
        serde_json::from_str::<Value>(&status).unwrap()["visible"].as_u64().unwrap()
    };
    while visible() < 3_000 {
        assert!(Instant::now() < until, "{} were sent", visible());
    }
    terminate(&child);
    assert!(Outcome::of(child).code.is_some(), "a signal ends it all the same");
}

#[test]
fn a_pipe_is_sent_while_it_is_written_and_a_signal_sends_what_was() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("tail", &[]);
    let mut child = sluice.start(&["send", &name, "--split", "lines", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(b"one\n").unwrap();
    let mut printed = String::new();
    stdout.read_line(&mut printed).unwrap();
    stdin.write_all(b"two\nthree\nand a half").unwrap();
    terminate(&child);
    stdout.read_to_string(&mut printed).unwrap();
    let outcome = Outcome::of(child);
    drop(stdin);
    // How much it had read by then is chance; that all of it is sent, said and printed, and no half line, is not.
    let sent = printed.lines().count();
    assert!(outcome.code == Some(1) && (1..=3).contains(&sent), "{sent} printed, {outcome:?}");
    let said = format!("stopped: {sent} messages were sent");
    assert!(outcome.stderr.contains(&said), "{sent} printed, {outcome:?}");
    let status = sluice.done(&["queue", "status", &name, "--output", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&status).unwrap()["visible"], sent);
}

/// 64 MiB through a pipe, as `sluice receive --output json` writes them.
#[tokio::test]
async fn what_comes_through_a_pipe_is_never_in_memory_at_once() {
    const MESSAGES: usize = 1_024;
    let aws = Aws::start([]).await;
    let mut sluice = Sluice::on_the_stack();
    sluice.settings.insert("AWS_ENDPOINT_URL".to_owned(), aws.url());
    let mut child = sluice.start(&["send", &format!("{}/123456789012/copies", aws.url()), "--messages", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("{{\"body\":\"{}\"}}\n", "x".repeat(64 * 1_024));
    // What it prints would fill the pipe.
    let mut stdout = child.stdout.take().unwrap();
    let printing = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let stdin = tokio::task::spawn_blocking(move || {
        for _ in 0..MESSAGES {
            stdin.write_all(line.as_bytes()).unwrap();
        }
        stdin
    });
    let stdin = stdin.await.unwrap();
    aws.called_until("all sent", || aws.count() >= MESSAGES.div_ceil(10)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    drop(stdin);
    let outcome = tokio::task::spawn_blocking(move || Outcome::of(child)).await.unwrap();
    printing.join().unwrap().unwrap();
    assert_eq!((outcome.code, aws.entries("SendMessageBatch").len()), (Some(0), MESSAGES), "{outcome:?}");
    assert!(peak.is_some_and(|peak| peak < 48 * 1_024), "{peak:?} KiB at most");
}

#[test]
fn sigterm_ends_a_paced_send_and_says_how_far_it_came() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("paced", &[]);
    let mut child = sluice.start(&["send", &name, "--body", "x", "--repeat", "1000", "--every", "100ms"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    for _ in 0..3 {
        stdout.read_line(&mut printed).unwrap();
    }
    terminate(&child);
    stdout.read_to_string(&mut printed).unwrap();
    let outcome = Outcome::of(child);
    let sent = printed.lines().count();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains(&format!("stopped: {sent} of 1000 messages were sent")), "{outcome:?}");
    let received = sluice.done(&["receive", &name, "--max", "1000", "--output", "json", "--delete"]);
    assert_eq!(received.lines().count(), sent);
}
