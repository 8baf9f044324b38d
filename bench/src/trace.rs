//! What a process asks of the kernel, by strace: counts, which do not move with the load of the machine.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    process::{LIMIT, Running, program},
    progress::Progress,
    subject::{Kind, Subject},
};

/// Events before: what is made at first use is made.
const UNCOUNTED: usize = 10;

/// What was counted of one subject.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// The subject.
    pub name: String,
    /// Files opened before the first request for an event, shared libraries too; those that were not there are no files.
    pub files: Vec<String>,
    /// System calls before the first request for an event.
    pub calls_before_first_event: usize,
    /// System calls a warm event, all of them.
    pub calls_an_event: f64,
    /// The same, by name.
    pub calls_by_name: BTreeMap<String, f64>,
}

/// Counts for each subject but the peers, over so many events; nothing where strace is not installed.
pub fn count(subjects: &[Subject], events: usize, progress: &Progress) -> Result<Vec<Counts>> {
    let Some(strace) = program("strace") else {
        progress.note("strace is not installed: files and system calls are not counted");
        return Ok(Vec::new());
    };
    let counted = subjects.iter().filter(|subject| subject.kind != Kind::Peer);
    let count = |subject: &Subject| {
        progress.say(&format!("system calls: {}", subject.name));
        let output = subject.log_file()?.with_extension("strace");
        let trace = |events: usize| {
            let prefix = [strace.clone(), "-f".into(), "-qq".into(), "-o".into(), output.clone().into()];
            traced(&prefix, &output, subject, events).with_context(|| subject.name.clone())
        };
        // The life of a process is the same but for the number of its events.
        let none = trace(0)?;
        if events == 0 {
            return Ok(counted_from(&subject.name, &none, "", "", 1));
        }
        let (some, more) = (trace(UNCOUNTED)?, trace(UNCOUNTED + events)?);
        Ok(counted_from(&subject.name, &none, &some, &more, events))
    };
    counted.map(count).collect()
}

fn traced(prefix: &[std::ffi::OsString], output: &Path, subject: &Subject, events: usize) -> Result<String> {
    let process = Running::start_under(prefix, subject)?;
    process.ready()?;
    if events > 0 {
        process.api.invoke(&subject.event, events, LIMIT).with_context(|| process.logged())?;
    }
    process.hang_up()?;
    fs::read_to_string(output).with_context(|| format!("no trace in {}", output.display()))
}

fn counted_from(name: &str, none: &str, some: &str, more: &str, events: usize) -> Counts {
    let (some, more) = (calls(some), calls(more));
    #[allow(clippy::cast_precision_loss, reason = "counts of at most some thousands")]
    let an_event = |count: usize| count as f64 / events as f64;
    let calls_by_name: BTreeMap<String, f64> = more
        .iter()
        .map(|(name, count)| (name.clone(), an_event(count.saturating_sub(*some.get(name).unwrap_or(&0)))))
        .filter(|(_, count)| *count >= 0.01)
        .collect();
    let before: Vec<&str> = none.lines().take_while(|line| !asks_for_an_event(line)).collect();
    Counts {
        name: name.to_owned(),
        files: before.iter().filter_map(|line| opened(line)).map(ToOwned::to_owned).collect(),
        calls_before_first_event: before.len(),
        calls_an_event: calls_by_name.values().sum(),
        calls_by_name,
    }
}

fn asks_for_an_event(line: &str) -> bool {
    line.contains("/runtime/invocation/next") || line.contains("\"GET /2018-06-01/")
}

/// The file that a line says was opened.
fn opened(line: &str) -> Option<&str> {
    let (_, call) = line.split_once("openat(").or_else(|| line.split_once(" open("))?;
    let file = call.split('"').nth(1)?;
    (!line.contains(" = -1 ")).then_some(file)
}

/// How often each call was made. A call that was interrupted by another thread's is two lines, and one call.
fn calls(trace: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for line in trace.lines().filter(|line| !line.contains("resumed>")) {
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
        if let Some((name, _)) = call.split_once('(') {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"10 execve("bootstrap", ["bootstrap"], 0x7f /* 9 vars */) = 0
10 openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
10 openat(AT_FDCWD, "/etc/nowhere", O_RDONLY) = -1 ENOENT (No such file or directory)
10 sendto(9, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"..., 90, MSG_NOSIGNAL, NULL, 0) = 90
10 openat(AT_FDCWD, "/too/late", O_RDONLY) = 3
"#;

    #[test]
    fn files_are_those_opened_before_the_first_event() {
        let counts = counted_from("any", START, START, START, 1);
        assert_eq!(counts.files, ["/etc/ld.so.cache"]);
        assert_eq!(counts.calls_before_first_event, 3);
    }

    #[test]
    fn calls_are_what_more_events_add() {
        let event = "10 epoll_wait(4,  <unfinished ...>\n11 write(1, \"x\", 1) = 1\n10 <... epoll_wait resumed>) = 1\n";
        let (some, more) = (START.to_owned(), format!("{START}{}", event.repeat(7)));
        let counts = counted_from("any", START, &some, &more, 7);
        assert!((counts.calls_an_event - 2.0).abs() < 1e-9, "{counts:?}");
        assert_eq!(counts.calls_by_name.len(), 2);
    }
}
