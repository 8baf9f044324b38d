//! Runs a command for each message.

use std::{
    collections::HashSet,
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::anyhow;
use rustix::process::{Pid, Signal, kill_process_group};
use sluicegate::{consumer::Received, delivery::RecordError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, Command},
    time::{Instant, sleep, timeout},
};

use super::{WorkError, value::values};
use crate::output::Output;

/// `EX_DATAERR` of sysexits.h: the input was wrong.
const REJECT: i32 = 65;
/// Of the last line of a command's stderr.
const MAX_REASON_BYTES: usize = 512;
/// How long its stderr may stay open when a command has ended.
const LAST_LINE: Duration = Duration::from_millis(200);
/// Between asking a command to end and ending it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The command, and the process groups it runs in.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// Ours: with JSON on stdout, what commands print goes to stderr.
    pub(crate) output: Output,
    pub(crate) groups: Groups,
}

impl Exec {
    /// Ends with what the command says, or with what `stopped` says once the command is no more. Its process group is ended
    /// too when the future is dropped, which waits for nothing.
    pub(super) async fn run(
        &self,
        received: Received<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> Result<(), WorkError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).process_group(0);
        command.envs(values(received).into_iter().map(|(name, value)| (format!("SLUICE_{name}"), value)));
        command.stderr(Stdio::piped());
        if self.output.is_json() {
            command.stdout(Stdio::from(io::stderr()));
        }
        let child = command.spawn().map_err(|error| self.not_started(&error))?;
        let mut running = Running::new(child, self.groups.clone());
        tokio::select! {
            ended = running.feed_and_wait(received.record.body.as_bytes(), self.output) => {
                let (status, last_words) = ended.map_err(RecordError::retry)?;
                Ok(verdict(status, &last_words)?)
            }
            error = stopped => {
                running.end().await;
                Err(error.into())
            }
        }
    }

    /// A command that is not there will not be there for the next message either.
    fn not_started(&self, error: &io::Error) -> WorkError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => WorkError::Fatal(anyhow!(
                "cannot run {:?} ({error}): check the path, and that it is executable",
                self.program
            )),
            _ => RecordError::retry(format!("{:?} could not be started: {error}", self.program)).into(),
        }
    }
}

/// The exit code decides; what the command said last on its stderr is the reason.
fn verdict(status: ExitStatus, last_words: &str) -> Result<(), RecordError> {
    let because = |end: String| if last_words.is_empty() { end } else { format!("{end}: {last_words}") };
    match status.code() {
        Some(0) => Ok(()),
        Some(REJECT) => Err(RecordError::reject(because(format!("exit code {REJECT}")))),
        Some(code) => Err(RecordError::retry(because(format!("exit code {code}")))),
        None => {
            let signal = status.signal().unwrap_or_default();
            Err(RecordError::retry(because(format!("ended by signal {signal}"))))
        }
    }
}

/// Hands on what a command writes to its stderr, and keeps the last line that has anything in it.
struct Heard {
    output: Output,
    line: Vec<u8>,
    last: Vec<u8>,
}

impl Heard {
    async fn hear(&mut self, stderr: &mut ChildStderr) {
        let mut chunk = [0; 4_096];
        while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
            // Who writes more than is read waits, as with a stderr of its own; the message keeps its heartbeat.
            self.output.stderr(&chunk[..length]).await;
            for byte in &chunk[..length] {
                match byte {
                    b'\n' => self.end_line(),
                    // Of a line without end, its beginning.
                    byte if self.line.len() < MAX_REASON_BYTES => self.line.push(*byte),
                    _ => {}
                }
            }
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim_ascii().is_empty() {
            std::mem::swap(&mut self.last, &mut self.line);
        }
        self.line.clear();
    }

    fn last_words(mut self) -> String {
        self.end_line();
        String::from_utf8_lossy(self.last.trim_ascii()).into_owned()
    }
}

/// A command at work.
#[derive(Debug)]
struct Running {
    child: Option<Child>,
    group: Option<Pid>,
    groups: Groups,
}

impl Running {
    fn new(child: Child, groups: Groups) -> Self {
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            groups.add(group);
        }
        Self { child: Some(child), group, groups }
    }

    async fn feed_and_wait(&mut self, body: &[u8], output: Output) -> io::Result<(ExitStatus, String)> {
        let Some(child) = self.child.as_mut() else { return Err(io::Error::other("it has ended already")) };
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command need not read its input.
                let _ = stdin.write_all(body).await;
                let _ = stdin.shutdown().await;
            }
        };
        let mut heard = Heard { output, line: Vec::new(), last: Vec::new() };
        let stderr = child.stderr.take();
        let mut hearing = Box::pin(async {
            if let Some(mut stderr) = stderr {
                heard.hear(&mut stderr).await;
            }
        });
        let mut wait = Box::pin(futures::future::join(feed, child.wait()));
        let mut is_heard = false;
        let ((), status) = loop {
            tokio::select! {
                ended = wait.as_mut() => break ended,
                () = hearing.as_mut(), if !is_heard => is_heard = true,
            }
        };
        drop(wait);
        // A failed wait leaves the process to the destructor.
        let status = status?;
        self.child = None;
        self.groups.remove(self.group);
        // What is in the pipe. A process left behind may hold it open, and is not waited for.
        if !is_heard {
            let _ = timeout(LAST_LINE, hearing.as_mut()).await;
        }
        drop(hearing);
        Ok((status, heard.last_words()))
    }

    /// Asks the process group to end, and ends what is left of it.
    async fn end(&mut self) {
        if let (Some(child), Some(group)) = (self.child.take(), self.group) {
            end(child, group, self.groups.clone()).await;
        }
    }
}

async fn end(mut child: Child, group: Pid, groups: Groups) {
    let _ = kill_process_group(group, Signal::TERM);
    let _ = timeout(LAST_WORDS, child.wait()).await;
    // Whoever of the group has not listened.
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait().await;
    groups.remove(Some(group));
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(child), Some(group)) = (self.child.take(), self.group) {
            tokio::spawn(end(child, group, self.groups.clone()));
        }
    }
}

/// The process groups that live.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups(Arc<Mutex<HashSet<Pid>>>);

impl Groups {
    fn add(&self, group: Pid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
    }

    fn remove(&self, group: Option<Pid>) {
        if let Some(group) = group {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&group);
        }
    }

    /// Waits for those that were told to end, and ends what is left then.
    pub(crate) async fn end(&self) {
        let until = Instant::now() + LAST_WORDS + Duration::from_millis(200);
        while Instant::now() < until && !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
        self.kill();
    }

    /// Ends all at once.
    pub(crate) fn kill(&self) {
        for group in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use sluicegate::delivery::Disposition;

    use super::{
        super::value::tests::{queue, record},
        *,
    };

    fn shell(script: &str) -> Exec {
        Exec {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            output: Output::to_pipe(),
            groups: Groups::default(),
        }
    }

    async fn run(exec: &Exec, body: &str) -> Result<(), WorkError> {
        let delivery = Received { queue: &queue(), record: &record(body), sender_id: Some("AIDA") };
        exec.run(delivery, std::future::pending()).await
    }

    async fn disposition(script: &str) -> Option<Disposition> {
        match run(&shell(script), "{}").await {
            Ok(()) => None,
            Err(WorkError::Record(error)) => Some(error.disposition()),
            Err(WorkError::Fatal(error)) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn the_exit_code_decides() {
        assert_eq!(disposition("exit 0").await, None);
        assert_eq!(disposition("exit 65").await, Some(Disposition::Reject));
        for script in ["exit 75", "exit 1", "exit 255", "kill -9 $$"] {
            assert_eq!(disposition(script).await, Some(Disposition::Retry(None)), "{script}");
        }
    }

    #[tokio::test]
    async fn the_last_line_of_its_stderr_is_the_reason() {
        for (script, reason) in [
            ("echo first >&2; printf 'no such donor\\n\\n' >&2; exit 65", "exit code 65: no such donor"),
            ("printf 'without end' >&2; exit 3", "exit code 3: without end"),
            ("sleep 9 & echo behind me >&2; exit 3", "exit code 3: behind me"),
            ("exit 3", "exit code 3"),
        ] {
            let Err(WorkError::Record(error)) = run(&shell(script), "{}").await else { panic!("{script}") };
            assert_eq!(error.to_string(), reason, "{script}");
        }
        let long = shell("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 3");
        let Err(WorkError::Record(error)) = run(&long, "{}").await else { panic!() };
        assert!((100..600).contains(&error.to_string().len()));
    }

    #[tokio::test]
    async fn the_body_is_its_input_and_the_rest_its_environment() {
        let script = r#"test "$(cat)" = "naïve
two" && test "$SLUICE_ATTRIBUTE_JOBTYPE/$SLUICE_RECEIVE_COUNT/$SLUICE_GROUP_ID/$SLUICE_SENDER_ID" = NewDonor/2/red/AIDA"#;
        assert!(run(&shell(script), "naïve\ntwo").await.is_ok());
    }

    #[tokio::test]
    async fn a_command_need_not_read_its_input() {
        assert!(run(&shell("exit 0"), &"x".repeat(1_000_000)).await.is_ok());
    }

    #[tokio::test]
    async fn a_command_that_is_not_there_ends_the_run() {
        let exec = Exec { program: "/no/such/command".to_owned(), ..shell("") };
        let Err(WorkError::Fatal(error)) = run(&exec, "{}").await else { panic!() };
        assert!(error.to_string().contains("/no/such/command"), "{error}");
    }

    #[tokio::test]
    async fn whoever_is_stopped_takes_the_whole_process_group_along() {
        let folder = std::env::temp_dir().join(format!("sluice-exec-{}", std::process::id()));
        let marker = folder.display().to_string();
        // The grandchild does not listen to SIGTERM, and would leave its mark a second after its last words.
        let exec = shell(&format!("(trap '' TERM; sleep 4; echo > {marker}) & trap '' TERM; sleep 4; echo > {marker}"));
        assert!(timeout(Duration::from_millis(300), run(&exec, "{}")).await.is_err());
        exec.groups.end().await;
        sleep(Duration::from_secs(3)).await;
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn who_is_stopped_is_given_back_only_when_the_process_is_no_more() {
        let marker = std::env::temp_dir().join(format!("sluice-stopped-{}", std::process::id()));
        let exec = shell(&format!("trap '' TERM; touch {0}; sleep 1; rm {0}; exec sleep 60", marker.display()));
        let stopped = async {
            while !marker.exists() {
                sleep(Duration::from_millis(5)).await;
            }
            RecordError::later(Duration::ZERO, "given back")
        };
        let delivery = Received { queue: &queue(), record: &record("{}"), sender_id: None };
        assert!(matches!(exec.run(delivery, stopped).await, Err(WorkError::Record(_))));
        assert!(!marker.exists() && exec.groups.0.lock().unwrap().is_empty(), "it had its last words");
    }
}
