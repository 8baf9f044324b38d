//! The process of a built function.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use sluicegate::settings::environment;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::Mutex as AsyncMutex,
    task::JoinHandle,
};

/// A process that is killed, by its id, when the value is dropped.
pub(crate) struct Bootstrap {
    child: AsyncMutex<Child>,
    lines: Arc<Mutex<Vec<String>>>,
    readers: [JoinHandle<()>; 2],
}

/// Where the built function is.
pub(crate) fn path_of(function: &str) -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lambda");
    let path =
        environment("SLUICEGATE_BOOTSTRAPS").map_or_else(default, PathBuf::from).join(function).join("bootstrap");
    assert!(path.is_file(), "{} is missing: run `make build`", path.display());
    path
}

impl Bootstrap {
    pub(crate) fn start(function: &str, program: &Path, runtime_api: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", runtime_api),
                ("AWS_LAMBDA_FUNCTION_NAME", function),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                // Nobody listens there.
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ])
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let readers = [
            read_lines(child.stdout.take().unwrap(), lines.clone()),
            read_lines(child.stderr.take().unwrap(), lines.clone()),
        ];
        Self { child: AsyncMutex::new(child), lines, readers }
    }

    /// What it wrote so far.
    pub(crate) fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// How many times it has written to a file, a pipe or a terminal so far.
    ///
    /// See `/proc/pid/io` in [proc_pid_io(5)](https://man7.org/linux/man-pages/man5/proc_pid_io.5.html).
    pub(crate) async fn writes(&self) -> u64 {
        let id = self.child.lock().await.id().unwrap();
        let counts = std::fs::read_to_string(format!("/proc/{id}/io")).unwrap();
        counts.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
    }

    /// The most memory it has had at once, in bytes.
    ///
    /// See `VmHWM` in [proc_pid_status(5)](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
    pub(crate) async fn peak_memory(&self) -> u64 {
        let id = self.child.lock().await.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
        peak.parse::<u64>().unwrap() * 1_024
    }

    /// Pages of memory that it was given so far.
    ///
    /// See `minflt` in [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    pub(crate) async fn page_faults(&self) -> u64 {
        let id = self.child.lock().await.id().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let behind_name = stat.rsplit_once(')').unwrap().1;
        behind_name.split_ascii_whitespace().nth(7).unwrap().parse().unwrap()
    }

    /// Waits for its end.
    pub(crate) async fn exited(&self) -> ExitStatus {
        self.child.lock().await.wait().await.unwrap()
    }

    /// Ends it and gives every line it wrote.
    pub(crate) async fn kill(self) -> Vec<String> {
        self.child.lock().await.kill().await.unwrap();
        for reader in self.readers {
            reader.await.unwrap();
        }
        let lines = self.lines.lock().unwrap();
        lines.clone()
    }
}

/// Takes lines until the pipe is closed. Errors go where the log goes: Lambda keeps both in one stream.
fn read_lines(pipe: impl AsyncRead + Unpin + Send + 'static, into: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            into.lock().unwrap().push(line);
        }
    })
}
