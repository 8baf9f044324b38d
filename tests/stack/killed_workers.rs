//! Worker processes that die in the middle of their work.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Stack,
    job::{Job, run_mark, send},
    memory, queue,
    settings::Settings,
    turn::alone,
    wait::eventually,
};

const JOBS: usize = 1_000;
/// Between two kills. Five workers with ten jobs of 200 ms each would be through in four seconds.
const PAUSE: Duration = Duration::from_millis(150);
const KILLS: usize = 40;

/// The processes that the stack's local AWS runs functions in.
fn workers(stack: &Stack) -> Vec<String> {
    let file = std::fs::read_to_string(stack.folder().join("emulator.json")).unwrap();
    let emulator = serde_json::from_str::<Value>(&file).unwrap()["pid"].to_string();
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid=,command="]).output().unwrap();
    let worker = |line: &str| {
        let mut fields = line.split_whitespace();
        let (pid, parent) = (fields.next()?, fields.next()?);
        (parent == emulator && line.trim_end().ends_with("/bootstrap")).then(|| pid.to_owned())
    };
    String::from_utf8(listed.stdout).unwrap().lines().filter_map(worker).collect()
}

/// How many invocations have ended with their process so far: the local AWS says so in its log.
fn interrupted(stack: &Stack) -> usize {
    let log = std::fs::read(stack.folder().join("emulator.log")).unwrap();
    String::from_utf8_lossy(&log).matches("sqs-worker: Runtime exited before returning a response").count()
}

/// Kills one process after the other, the way the kernel does when memory is short: no signal that could be handled.
async fn kill_again_and_again(stack: &Stack) -> usize {
    let mut killed = 0;
    for round in 0..KILLS {
        let alive = workers(stack);
        if let Some(pid) = alive.get(round % alive.len().max(1)) {
            killed += usize::from(Command::new("kill").args(["-9", pid]).status().unwrap().success());
        }
        sleep(PAUSE).await;
    }
    killed
}

#[tokio::test]
async fn no_job_is_lost_when_workers_are_killed_again_and_again() {
    let (stack, _turn) = (Stack::of_make_test(), alone().await);
    // Every kill costs its whole batch a receive and nobody a try: with the template's maxReceiveCount and its tries.
    Settings::in_a_hurry("JobQueueUrl")
        .with_variable("MAX_TRIES", "10")
        .during(&stack, async {
            let run = run_mark("killed");
            let nap = |number| Job::drill(&format!("{run}-{number}"), json!({"drill": "sleep", "sleep_ms": 200}));
            let jobs: Vec<Job> = (0..JOBS).map(nap).collect();
            let interrupted_before = interrupted(&stack);
            let (ids, killed) = tokio::join!(send(&stack, "JobQueueUrl", &jobs), kill_again_and_again(&stack));
            assert!(killed > KILLS / 2, "only {killed} processes were killed");
            assert!(interrupted(&stack) > interrupted_before + 5, "the kills met hardly anybody at work");

            queue::is_empty(&stack, "JobQueueUrl").await;
            let keys: Vec<String> = ids.iter().map(|id| memory::key_of_message(&stack, id)).collect();
            eventually("every job to be done", async || {
                let completed = memory::completed(&stack).await;
                let lost = keys.iter().filter(|key| !completed.contains(*key)).count();
                if lost == 0 { Ok(()) } else { Err(format!("{lost} of {JOBS} are not")) }
            })
            .await;
            queue::nothing_given_up(&stack, &run, None).await;
        })
        .await;
}
