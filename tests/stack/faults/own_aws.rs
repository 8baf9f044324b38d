//! A second local AWS, whose functions reach it through an address of the test's choosing.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{
    super::{Stack, outputs::repository, wait::eventually},
    proxy::free_port,
};

/// Deploys what `make test` has built and deployed, to an emulator that was started here.
const DEPLOY: &str = "
import pathlib, sys
import deploy, emulator, paths, stack
folder, own = pathlib.Path(sys.argv[1]), emulator.Emulator(0, int(sys.argv[2]), '')
with stack._one_at_a_time():
    deploy.write(folder, own, deploy.deploy(own, paths.BUILD / 'template.yaml', folder))
";

/// A running emulator. It ends with its value.
pub(super) struct OwnAws {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl OwnAws {
    /// Starts it; its functions will call AWS at `endpoint_of_functions`.
    pub(super) async fn start(endpoint_of_functions: &str) -> Self {
        let folder = repository().join(".local/test/faults");
        let _ = fs::remove_dir_all(&folder);
        for name in ["home", "tmp", "state", "objects"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let port = free_port();
        let log = File::create(folder.join("emulator.log")).unwrap();
        // As in `local/emulator.py`, but for the endpoint.
        let process = Command::new(repository().join(".local/tools/ministack/bin/ministack"))
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("MINISTACK_HOST", "127.0.0.1")])
            .envs([("BIND_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")])
            .envs([("MINISTACK_REGION", "us-east-1"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")])
            .envs([("HOME", folder.join("home")), ("TMPDIR", folder.join("tmp"))])
            .envs([("STATE_DIR", folder.join("state")), ("S3_DATA_DIR", folder.join("objects"))])
            .env("GATEWAY_PORT", port.to_string())
            .env("AWS_ENDPOINT_URL", endpoint_of_functions)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let own = Self { process, port, folder };
        eventually("the second local AWS to listen", async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.to_string())
        })
        .await;
        own
    }

    /// Deploys the template to it.
    pub(super) fn deploy(&self) -> Stack {
        let output = Command::new("python3")
            .args(["-c", DEPLOY])
            .arg(&self.folder)
            .arg(self.port.to_string())
            .current_dir(repository().join("local"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        Stack::read(&self.folder.join("stack.env"))
    }

    /// Where it listens itself.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for OwnAws {
    fn drop(&mut self) {
        // Asked to end, it ends its functions too; killed, it could not.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}
