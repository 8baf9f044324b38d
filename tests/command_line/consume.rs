//! `sluice consume`.

use std::{
    collections::HashSet,
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::sluice::{Outcome, Sluice, eventually, new_name, terminate};

/// Bodies `0`, `1`, … in one queue.
fn queue_of(sluice: &Sluice, purpose: &str, count: usize, settings: &[&str]) -> String {
    let name = sluice.queue(purpose, settings);
    let bodies: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let outcome = sluice.run_with_input(&["send", &name, "-"], &format!("[{}]", bodies.join(",")));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    name
}

fn summary(outcome: &Outcome) -> Value {
    let last = outcome.stdout.lines().last().unwrap_or_default();
    serde_json::from_str::<Value>(last).unwrap_or_else(|_| panic!("{outcome:?}"))["summary"].clone()
}

fn counts(sluice: &Sluice, name: &str) -> (u64, u64) {
    let status = sluice.done(&["queue", "status", name, "--output", "json"]);
    let status: Value = serde_json::from_str(status.lines().next().unwrap()).unwrap();
    (status["visible"].as_u64().unwrap(), status["inFlight"].as_u64().unwrap())
}

#[test]
fn every_message_is_printed_once_for_a_fifth_of_a_request() {
    let sluice = Sluice::on_the_stack();
    let name = queue_of(&sluice, "print", 1_000, &[]);
    let outcome = sluice.run(&["consume", &name, "--until-empty", "--wait", "1s", "--output", "json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bodies: HashSet<&str> = lines.iter().filter_map(|line| line["body"].as_str()).collect();
    assert_eq!(bodies.len(), 1_000);
    let summary = summary(&outcome);
    assert_eq!(summary["done"], 1_000, "{summary}");
    assert!(summary["requests"].as_u64().unwrap() <= 225, "{summary}");
    assert_eq!(counts(&sluice, &name), (0, 0));
}

#[test]
fn a_line_names_producer_job_type_and_body() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("line", &[]);
    sluice.done(&["send", &name, "--body", "naïve", "-a", "JobType=NewDonor", "-a", "Producer=fast"]);
    assert_eq!(sluice.done(&["consume", &name, "--max", "1"]), "fast\tNewDonor\tnaïve\n");
}

#[test]
fn an_empty_queue_is_no_error() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("empty", &[]);
    let outcome = sluice.run(&["consume", &name, "--until-empty", "--wait", "1s"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("0 received, 0 done; 1 requests"), "{outcome:?}");
}

#[test]
fn a_commands_exit_code_decides_what_becomes_of_the_message() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("exec", &["--dlq", "--max-receives", "5"]);
    for code in ["0", "65", "75"] {
        sluice.done(&["send", &name, "--body", code, "-a", "JobType=Exit"]);
    }
    let script = "read code; test \"$SLUICE_ATTRIBUTE_JOBTYPE\" = Exit || exit 99; exit $code";
    let arguments = ["consume", &name, "--max", "3", "--output", "json", "--exec", "sh", "-c", script];
    let outcome = sluice.run(&arguments);
    let summary = summary(&outcome);
    let of = |what: &str| summary[what].as_u64().unwrap();
    assert_eq!((of("done"), of("deadLettered"), of("retried")), (1, 1, 1), "{outcome:?}");
    let letters = sluice.done(&["receive", &format!("{name}-dlq"), "--max", "10"]);
    assert!(letters.contains("sluicegate.reason: exit code 65") && letters.contains(&name), "{letters}");
}

#[test]
fn a_message_that_takes_longer_than_its_visibility_stays_in_hand() {
    let sluice = Sluice::on_the_stack();
    let name = queue_of(&sluice, "beat", 1, &[]);
    let arguments = ["consume", &name, "--max", "1", "--visibility", "3s", "--exec", "sleep", "7"];
    let outcome = sluice.run(&arguments);
    assert!(outcome.stderr.contains("1 received, 1 done"), "{outcome:?}");
    assert_eq!(counts(&sluice, &name), (0, 0));
}

#[test]
fn told_to_stop_it_finishes_what_is_in_hand_and_gives_the_rest_back() {
    let sluice = Sluice::on_the_stack();
    let name = queue_of(&sluice, "stop", 12, &["--visibility", "1h"]);
    let marker = std::env::temp_dir().join(new_name("began"));
    let script = format!("cat > /dev/null; echo >> {}; sleep 2", marker.display());
    let limits = ["--concurrency", "4", "--min", "4", "--visibility", "1h", "--output", "json"];
    let child = sluice.start(&[&["consume", &name], &limits[..], &["--exec", "sh", "-c", &script]].concat());
    eventually(|| (fs::read_to_string(&marker).ok()?.lines().count() == 4).then_some(()));
    terminate(&child);
    let outcome = Outcome::of(child);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let (done, received) = (summary(&outcome)["done"].clone(), summary(&outcome)["received"].clone());
    assert!(done.as_u64().unwrap() >= 4, "{outcome:?}");
    let (visible, in_flight) = counts(&sluice, &name);
    assert_eq!((visible + done.as_u64().unwrap(), in_flight), (12, 0), "{received} received: {outcome:?}");
    let _ = fs::remove_file(marker);
}

#[test]
fn what_outlasts_the_grace_is_stopped_with_its_whole_process_group() {
    let sluice = Sluice::on_the_stack();
    let name = queue_of(&sluice, "grace", 1, &["--visibility", "1h"]);
    let grandchild = std::env::temp_dir().join(new_name("grandchild"));
    let script = format!("sleep 600 & echo $! > {}; wait", grandchild.display());
    let child = sluice.start(&["consume", &name, "--grace", "1s", "--exec", "sh", "-c", &script]);
    let pid = eventually(|| fs::read_to_string(&grandchild).ok().filter(|pid| pid.ends_with('\n')));
    terminate(&child);
    let outcome = Outcome::of(child);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(" given back"), "{outcome:?}");
    assert_eq!(counts(&sluice, &name), (1, 0));
    eventually(|| (!is_at_work(pid.trim())).then_some(()));
    fs::remove_file(grandchild).unwrap();
}

/// While a reader does not read, what is at work keeps its message, and a signal is heard.
#[test]
fn a_reader_that_does_not_read_stops_neither_heartbeats_nor_signals() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("unread", &[]);
    let body = "x".repeat(200_000);
    assert_eq!(sluice.run_with_input(&["send", &name, "-"], &body).code, Some(0));
    let child = sluice.start(&["consume", &name, "--visibility", "5s", "--grace", "0s"]);
    eventually(|| (counts(&sluice, &name) == (0, 1)).then_some(()));
    // That something does not happen can only be seen over time: longer than the message would be invisible by itself.
    thread::sleep(Duration::from_secs(7));
    assert_eq!(counts(&sluice, &name), (0, 1), "it is kept as long as it is not printed");
    terminate(&child);
    eventually(|| (counts(&sluice, &name) == (1, 0)).then_some(()));
    terminate(&child);
    assert!(Outcome::of(child).code.is_some());
}

#[test]
fn a_terminal_that_closes_stops_it_as_sigterm_does() {
    let sluice = Sluice::on_the_stack();
    let name = queue_of(&sluice, "hangup", 1, &["--visibility", "1h"]);
    // Under `nohup`, which a whole test run may be under, it would be deaf to the signal, and rightly so.
    let mut hearing = sluice.command(&"/usr/bin/env".into());
    hearing.args([
        "--default-signal=HUP",
        sluice.program(),
        "consume",
        &name,
        "--grace",
        "0s",
        "--exec",
        "sleep",
        "600",
    ]);
    let child = hearing.spawn().unwrap();
    eventually(|| (counts(&sluice, &name) == (0, 1)).then_some(()));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    eventually(|| (!is_at_work(&pid)).then_some(()));
    let outcome = Outcome::of(child);
    assert!(outcome.code == Some(0) && outcome.stderr.contains(" given back"), "{outcome:?}");
    assert_eq!(counts(&sluice, &name), (1, 0));
}

/// Whether a process lives; one that only waits to be collected does not.
fn is_at_work(pid: &str) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn a_group_is_worked_on_in_order() {
    let sluice = Sluice::on_the_stack();
    let name = format!("{}.fifo", sluice.queue("order", &["--fifo"]));
    for group in ["a", "b"] {
        let bodies: Vec<String> = (0..15).map(|number| format!("\"{group}{number}\"")).collect();
        let input = format!("[{}]", bodies.join(","));
        assert_eq!(sluice.run_with_input(&["send", &name, "--group", group, "-"], &input).code, Some(0));
    }
    let printed = sluice.done(&["consume", &name, "--until-empty", "--wait", "1s"]);
    for group in ["a", "b"] {
        let bodies = printed.lines().filter_map(|line| line.rsplit('\t').next()).map(|body| body.trim_matches('"'));
        let numbers: Vec<u32> = bodies.filter_map(|body| body.strip_prefix(group)?.parse().ok()).collect();
        assert_eq!(numbers, (0..15).collect::<Vec<_>>(), "{printed}");
    }
}

#[test]
fn an_http_answer_decides_what_becomes_of_the_message() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("post", &["--dlq", "--max-receives", "5"]);
    for status in ["204", "422", "404"] {
        sluice.done(&["send", &name, "--body", &format!("\"{status}\"")]);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jobs", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = String::new();
            while !asked.ends_with('"') {
                let mut part = [0; 4_096];
                let length = stream.read(&mut part).unwrap();
                asked.push_str(std::str::from_utf8(&part[..length]).unwrap());
            }
            let status = asked.rsplit("\r\n\r\n").next().unwrap().trim_matches('"').to_owned();
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    let outcome = sluice.run(&["consume", &name, "--max", "3", "--output", "json", "--post", &url]);
    let summary = summary(&outcome);
    let of = |what: &str| summary[what].as_u64().unwrap();
    assert_eq!((of("done"), of("deadLettered"), of("retried")), (1, 1, 1), "{outcome:?}");
}
