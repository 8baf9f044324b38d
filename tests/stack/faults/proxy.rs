//! The proxy: `microburst`, which speaks AWS's own error formats.

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use hyper::Request;
use serde_json::{Value, json};

use super::super::{loopback::ask, outputs::repository, wait::eventually};

/// What the functions call.
pub(super) const OPERATIONS: [(&str, &str); 8] = [
    ("dynamodb", "PutItem"),
    ("dynamodb", "UpdateItem"),
    ("dynamodb", "DeleteItem"),
    ("sqs", "ChangeMessageVisibilityBatch"),
    ("sqs", "SendMessageBatch"),
    ("sqs", "DeleteMessageBatch"),
    ("sqs", "ReceiveMessage"),
    ("lambda", "Invoke"),
];

/// Kinds of fault that each of them meets.
pub(super) const FAULTS: usize = 4;

/// A running proxy. It ends with its value.
pub(super) struct Proxy {
    process: Child,
    address: String,
}

/// Installs the proxy where it is missing, as every tool of the local run is; answers where its programs are.
fn installed() -> String {
    let script = "import tools; print(tools.ensure('microburst'))";
    let output = Command::new("python3").args(["-c", script]).current_dir(repository().join("local")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

impl Proxy {
    /// Stands on `port` before the local AWS on the port `upstream`, which need not be there yet, and lets everything
    /// through.
    pub(super) async fn start(port: u16, upstream: u16) -> Self {
        let folder = repository().join(".local/test");
        fs::create_dir_all(&folder).unwrap();
        let log = File::create(folder.join("proxy.log")).unwrap();
        let process = Command::new(format!("{}/microburst", installed()))
            .args(["--port", &port.to_string(), "--no-resign"])
            .args(["--upstream", &format!("http://127.0.0.1:{upstream}")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let proxy = Self { process, address: format!("127.0.0.1:{port}") };
        eventually("the proxy to listen", async || {
            std::net::TcpStream::connect(&proxy.address).map(drop).map_err(|error| error.to_string())
        })
        .await;
        proxy
    }

    /// From now on every operation meets each fault at its first calls, and then once in twenty.
    pub(super) async fn inject(&self) {
        let faults = [
            json!({"error": {"code": "ServiceUnavailable", "status": 503}}),
            json!({"reset": true}),
            json!({"timeout_ms": 700}),
            // Carried out, but the caller does not learn of it.
            json!({"response": {"abort_frac": 0.5}}),
        ];
        assert_eq!(faults.len(), FAULTS);
        let rules: Vec<Value> = OPERATIONS
            .iter()
            .flat_map(|(service, operation)| {
                faults.iter().map(move |fault| {
                    let mut rule = fault.clone();
                    rule["service"] = json!(service);
                    rule["operation"] = json!(operation);
                    rule["sequence"] = json!({"fail": 1, "pass": 19});
                    rule
                })
            })
            .collect();
        let request = Request::post("/_microburst/rules").header("content-type", "application/json");
        ask(&self.address, request, &json!(rules).to_string()).await;
    }

    /// How many kinds of fault an operation has met. By the rules' own counts: the proxy's list of what fired forgets.
    pub(super) async fn kinds_met(&self, operation: &str) -> usize {
        let rules = ask(&self.address, Request::get("/_microburst/rules"), "").await;
        let of_it = |rule: &&Value| rule["operation"] == operation && rule["fired_count"].as_u64() > Some(0);
        rules.as_array().unwrap().iter().filter(of_it).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
