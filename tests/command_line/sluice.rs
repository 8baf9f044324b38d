//! Runs the built binary.

use std::{
    collections::HashMap,
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sluicegate::settings::environment;

use crate::stack::{PATIENCE, repository};

/// `sluice`, with the environment of the stack and nothing of the user's own.
pub(super) struct Sluice {
    pub(super) settings: HashMap<String, String>,
}

/// How one run ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Sluice {
    pub(super) fn on_the_stack() -> Self {
        let file = environment("SLUICEGATE_STACK_ENV").expect("`make test` sets SLUICEGATE_STACK_ENV");
        let text = fs::read_to_string(repository().join(file)).unwrap();
        let wanted =
            ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let lines = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| wanted.contains(name));
        let mut settings: HashMap<String, String> =
            lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
        Self { settings }
    }

    /// The same without one setting.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.settings.remove(name);
        self
    }

    /// A run that must succeed: what it printed.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "sluice {arguments:?}: {outcome:?}");
        outcome.stdout
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    pub(super) fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self.start(arguments);
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read it may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Outcome::of(child)
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Child {
        self.command(binary()).args(arguments).spawn().unwrap()
    }

    /// Where the built binary is.
    #[allow(clippy::unused_self, reason = "who asks has one")]
    pub(super) fn program(&self) -> &'static str {
        binary().to_str().unwrap()
    }

    /// Any program in the same environment.
    pub(super) fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", env::temp_dir().join("sluice-has-no-home"))
            .envs(&self.settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A queue of this test's own, by name.
    pub(super) fn queue(&self, purpose: &str, settings: &[&str]) -> String {
        let name = new_name(purpose);
        self.done(&[&["queue", "create", &name], settings].concat());
        name
    }
}

impl Outcome {
    pub(super) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A name no other test uses, in this run or one before.
pub(super) fn new_name(purpose: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("cli-{purpose}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Asks until there is an answer.
pub(super) fn eventually<T>(ask: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "it did not happen in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn terminate(child: &Child) {
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
}

/// Built when it is first asked for: this binary's own build does not do it.
fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--workspace", "--all-features", "--bin", "sluice"]).current_dir(repository());
        // `ring` reads what the cargo around this test says of its package, and would be compiled anew for it.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                cargo.env_remove(name);
            }
        }
        assert!(cargo.status().unwrap().success(), "sluice cannot be built");
        // target/debug/deps/sluicegate-… → target/debug/sluice
        env::current_exe().unwrap().ancestors().nth(2).unwrap().join("sluice")
    })
}
