//! `sluice` in a terminal, where it draws bars and waits for what it has drawn: Python's `pty` is one.

use super::sluice::{Outcome, Sluice, eventually};
use crate::stack::repository;

/// Runs it in a terminal that nobody types into.
fn run(sluice: &Sluice, arguments: &[&str]) -> Outcome {
    let mut python = sluice.command(&"python3".into());
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    python.args(["-c", spawn, sluice.program()]).args(arguments);
    Outcome::of(python.spawn().unwrap())
}

#[test]
fn what_shows_its_progress_does_so_and_ends_well() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("terminal", &["--dlq", "--max-receives", "5"]);
    let (dlq, file) = (format!("{name}-dlq"), repository().join("events/data/fast_data.json"));
    let send = ["send", &name, "--file", file.to_str().unwrap(), "--repeat", "3"];
    let reject = ["consume", &name, "--until-empty", "--wait", "1s", "--exec", "sh", "-c", "exit 65"];
    for (command, code, said) in [
        (&send[..], 0, "messages"),
        (&["receive", &name, "--peek", "--max", "20"], 0, "donor"),
        (&["queue", "status", &name, &dlq], 0, "VISIBLE"),
        (&reject, 0, "sent to the dead-letter queue"),
        (&["dead", &dlq], 3, "exit code 65"),
        (&["redrive", &dlq, "--dry-run"], 0, "would be moved"),
        (&["redrive", &dlq], 0, "messages moved"),
        (&["consume", &name, "--until-empty", "--wait", "1s"], 0, "done"),
        (&["inspect", file.to_str().unwrap()], 1, "no function is meant for it"),
    ] {
        let outcome = run(&sluice, command);
        assert!(!outcome.stdout.contains("panicked"), "{command:?}: {outcome:?}");
        assert!(outcome.code == Some(code) && outcome.stdout.contains(said), "{command:?}: {outcome:?}");
    }
}

/// A terminal that is read for its bars, and a pipe that nobody reads: every message is sent all the same.
#[test]
fn a_pipe_that_nobody_reads_stops_no_deed_where_a_terminal_shows_the_progress() {
    const SCRIPT: &str = "
import os, pty, subprocess, sys, threading
screen, terminal = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal)
threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(screen, 65536), b'')], daemon=True).start()
sys.stdin.read()
child.kill()
os._exit(0)
";
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("unread-terminal", &[]);
    let file = repository().join("events/data/fast_data.json");
    let mut python = sluice.command(&"python3".into());
    python.args(["-c", SCRIPT, sluice.program(), "send", &name, "--repeat", "84", "--file", file.to_str().unwrap()]);
    let mut child = python.spawn().unwrap();
    // 2,016 ids of 37 bytes: more than a pipe holds.
    eventually(|| {
        let status = sluice.done(&["queue", "status", &name, "--output", "json"]);
        let status: serde_json::Value = serde_json::from_str(status.lines().next().unwrap()).unwrap();
        (status["visible"] == 2_016).then_some(())
    });
    drop(child.stdin.take());
    assert_eq!(Outcome::of(child).code, Some(0));
}
