//! A stack of a test's own, where the shared one would not do.

use std::{net::TcpListener, path::PathBuf, process::Command};

use super::{Stack, outputs::repository};

/// A stack on a local AWS of its own. It ends with its value.
pub(crate) struct OwnStack {
    pub(crate) stack: Stack,
    folder: PathBuf,
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl OwnStack {
    /// Starts a local AWS and deploys what `make test` has built. `name` is its folder, `options` are those of
    /// `local/stack.py up`.
    pub(crate) fn up(name: &str, options: &[&str]) -> Self {
        let folder = repository().join(".local/test").join(name);
        let output = Command::new("python3")
            .arg(repository().join("local/stack.py"))
            .args(["up", "--debug", "--dir"])
            .arg(&folder)
            .args(options)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        Self { stack: Stack::read(&folder.join("stack.env")), folder }
    }
}

impl Drop for OwnStack {
    fn drop(&mut self) {
        let stack = repository().join("local/stack.py");
        let _ = Command::new("python3").arg(stack).args(["down", "--dir"]).arg(&self.folder).output();
    }
}

/// `ring` is compiled anew when a cargo around cargo names its package, and all that stands on it with it.
#[test]
fn a_build_sees_nothing_of_what_belongs_to_the_caller() {
    let callers = ["AWS_PROFILE", "PIP_USER", "PYTHONSTARTUP", "RUSTFLAGS", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"];
    let output = Command::new("python3")
        .args(["-c", "import environment; print(*environment.for_cargo(), sep='\\n')"])
        .env_clear()
        .envs(callers.map(|name| (name, "the caller's")))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PYTHONPATH", repository().join("local"))
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = seen.lines().collect();
    assert!(names.contains(&"PATH"), "{seen}{}", String::from_utf8_lossy(&output.stderr));
    let leaked: Vec<&&str> = callers.iter().filter(|name| names.contains(name)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}
