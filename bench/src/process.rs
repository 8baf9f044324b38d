//! A process under measurement, and what Linux says of it under `/proc`.
//!
//! See [proc(5)](https://man7.org/linux/man-pages/man5/proc.5.html).

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{runtime_api::RuntimeApi, subject::Subject};

/// Within this time a process starts and answers: far more than any needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A started function with its Runtime API. Dropping it ends the process.
pub(crate) struct Running {
    pub(crate) api: RuntimeApi,
    pub(crate) started: Instant,
    child: Child,
    log: PathBuf,
    /// The same, open: another process of the same name gets a file of its own under it.
    out: File,
}

/// What a process has used up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// On a processor, all threads.
    pub(crate) cpu: Duration,
    /// Page faults, those that read from disk too.
    pub(crate) faults: u64,
}

/// What a process holds, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, shared libraries counted whole.
    pub(crate) resident: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

impl Running {
    /// Starts it as Lambda does: with the environment that Lambda sets, the subject's settings, and nothing besides.
    /// What it logs goes to a file: the writes are real, and no reader competes for the processors.
    pub(crate) fn start(subject: &Subject) -> Result<Self> {
        Self::start_under(&[], subject)
    }

    /// As [`Running::start`], as the child of another program: `prefix` and then the subject's own command.
    pub(crate) fn start_under(prefix: &[OsString], subject: &Subject) -> Result<Self> {
        let api = RuntimeApi::start()?;
        let log = subject.log_file()?;
        // There may be none yet.
        let _ = fs::remove_file(&log);
        let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut words = prefix.iter().chain(&subject.command);
        let program = words.next().context("a subject without a command")?;
        let mut command = Command::new(program);
        command
            .args(words)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.address().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", subject.name.as_str()),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "measured"),
                ("AWS_SECRET_ACCESS_KEY", "measured"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .envs(subject.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out.try_clone()?);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { api, started, child, log, out })
    }

    /// Waits for it to ask for its first event; the time since its start.
    pub(crate) fn ready(&self) -> Result<Duration> {
        let ready = self.api.ready(LIMIT).with_context(|| self.logged())?;
        Ok(ready - self.started)
    }

    /// Where its log is, for an error.
    pub(crate) fn logged(&self) -> String {
        format!("its log is in {}", self.log.display())
    }

    /// Bytes it has logged so far.
    pub(crate) fn logged_bytes(&self) -> Result<u64> {
        Ok(self.out.metadata()?.len())
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        Ok(Usage { cpu: self.cpu()?, faults: self.faults()? })
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = self.proc("status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        Ok(Memory { resident: field("VmRSS:"), peak: field("VmHWM:") })
    }

    /// The scheduler's own account, in nanoseconds; the ticks of `stat` are too coarse for microseconds.
    fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn faults(&self) -> Result<u64> {
        let stat = self.proc("stat")?;
        // The name in brackets may hold spaces; after it come state, parent, group, session, terminal, its group,
        // flags, minor faults, those of the children, major faults.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<u64> = after.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        Ok(fields.get(7).unwrap_or(&0) + fields.get(9).unwrap_or(&0))
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}; {}", self.logged()))
    }

    /// Hangs up, which makes the process end by itself, and waits for that.
    pub(crate) fn hang_up(mut self) -> Result<()> {
        let quiet = RuntimeApi::start()?;
        drop(std::mem::replace(&mut self.api, quiet));
        let since = Instant::now();
        while self.child.try_wait()?.is_none() && since.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a program is, as a shell would find it.
pub(crate) fn program(name: &str) -> Option<OsString> {
    let path = sluicegate::settings::environment("PATH")?;
    std::env::split_paths(OsStr::new(&path)).map(|folder| folder.join(name)).find(|file| file.is_file()).map(Into::into)
}
