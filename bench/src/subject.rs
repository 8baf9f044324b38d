//! What is measured: the functions of the template, the bare echo beside them, and peers in other languages.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::manifest::{Manifest, manifests};

/// What every ratio is to.
pub const BARE: &str = "bare-echo";

/// What the bare echo is sent.
const NOTIFICATION: &str = "events/sns/notification.json";

/// The functions that have peers.
const WITH_PEERS: [&str; 3] = ["sns-logger", "s3-object-logger", "sqs-worker"];

/// The programs of stock Rust: the function each is like, its binary, what it is called.
const STOCK: [(&str, &str, &str); 4] = [
    ("sns-logger", "sns-logger", "stock Rust"),
    ("s3-object-logger", "s3-object-logger", "stock Rust"),
    ("sqs-worker", "sqs-worker", "stock Rust"),
    ("sqs-worker", "sqs-worker-with-sdk", "stock Rust, SDK"),
];

/// One program with its typical event.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What it is called in every table.
    pub name: String,
    /// What it is to the others.
    pub kind: Kind,
    /// A program and its arguments.
    pub command: Vec<OsString>,
    /// Its environment, besides what Lambda sets.
    pub settings: Vec<(String, String)>,
    /// What it is typically sent.
    pub event: Arc<[u8]>,
}

/// What it is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What every ratio is to.
    Bare,
    /// Deployed by the template.
    Function,
    /// Does what a function does, with `cargo lambda new` and `aws_lambda_events`.
    Stock,
    /// Does what a function does, in another language.
    Peer,
}

/// Where things are.
#[derive(Debug)]
pub struct Places {
    /// The repository.
    pub root: PathBuf,
    /// A folder a function, each with its `bootstrap`.
    pub bootstraps: PathBuf,
    /// The same for the peers of stock Rust, where they are built.
    pub stock: Option<PathBuf>,
    /// What runs the Python peers, where it is installed.
    pub python: Option<PathBuf>,
}

impl Places {
    /// The sample in this file, as seen from the root.
    pub fn sample(&self, file: &str) -> Result<Value> {
        let path = self.root.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("no sample {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
    }

    /// The bare echo and the template's functions, those of them that are wanted, the bare echo first.
    pub fn functions(&self, endpoint: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Subject>> {
        let template = fs::read_to_string(self.root.join("template.yaml")).context("no template.yaml")?;
        let mut names: Vec<&str> = template.split("Binary: ").skip(1).map(first_word).collect();
        names.sort_unstable();
        names.dedup();
        names.insert(0, BARE);
        names.retain(|name| wanted(name));
        let manifests = manifests(&self.root)?;
        names.into_iter().map(|name| self.function(name, endpoint, manifests.get(name))).collect()
    }

    fn function(&self, name: &str, endpoint: &str, manifest: Option<&Manifest>) -> Result<Subject> {
        let bootstrap = self.bootstraps.join(name).join("bootstrap");
        ensure!(bootstrap.is_file(), "{} is missing: `make bench` builds it", bootstrap.display());
        ensure!(name == BARE || manifest.is_some(), "functions/{name}/Cargo.toml has no [package.metadata.sluicegate]");
        let own = manifest.into_iter().flat_map(|manifest| manifest.settings.clone());
        Ok(Subject {
            name: name.to_owned(),
            kind: if name == BARE { Kind::Bare } else { Kind::Function },
            command: vec![bootstrap.into()],
            settings: own.chain([("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned())]).collect(),
            event: event(&self.sample(manifest.map_or(NOTIFICATION, |manifest| &manifest.sample))?),
        })
    }

    /// Those of stock Rust.
    pub fn stock(&self, endpoint: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Subject>> {
        let Some(stock) = &self.stock else { return Ok(Vec::new()) };
        let manifests = manifests(&self.root)?;
        let peer = |(function, binary, title): (&str, &str, &str)| {
            let bootstrap = stock.join(binary).join("bootstrap");
            let like = self.function(function, endpoint, manifests.get(function))?;
            Ok(Subject {
                name: format!("{function} ({title})"),
                kind: Kind::Stock,
                command: vec![bootstrap.into()],
                ..like
            })
        };
        STOCK.into_iter().filter(|(function, ..)| wanted(function)).map(peer).collect()
    }

    /// Those of Python, where it is installed.
    pub fn peers(&self, endpoint: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Subject>> {
        let Some(python) = &self.python else { return Ok(Vec::new()) };
        let manifests = manifests(&self.root)?;
        let peer = |function: &str| {
            let module = function.replace('-', "_");
            let like = self.function(function, endpoint, manifests.get(function))?;
            let command = [python.as_os_str(), "-m".as_ref(), "awslambdaric".as_ref()].map(ToOwned::to_owned);
            let handler = OsString::from(format!("{module}.handle"));
            let folder = self.root.join("bench/peers").display().to_string();
            Ok(Subject {
                name: format!("{function} (Python)"),
                kind: Kind::Peer,
                command: command.into_iter().chain([handler]).collect(),
                settings: like.settings.into_iter().chain([("PYTHONPATH".to_owned(), folder)]).collect(),
                event: like.event,
            })
        };
        WITH_PEERS.into_iter().filter(|function| wanted(function)).map(peer).collect()
    }
}

impl Subject {
    /// The file its log goes to, in a folder of the bench's own.
    pub(crate) fn log_file(&self) -> Result<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/log");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder.join(self.name.replace(' ', "-")))
    }

    /// The same with other settings: they take the place of those of the same name.
    pub(crate) fn with(&self, settings: &[(&str, &str)]) -> Self {
        let mut subject = self.clone();
        subject.settings.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
        subject.settings.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        subject
    }

    /// The same with another event.
    pub(crate) fn given(&self, event: &Arc<[u8]>) -> Self {
        Self { event: event.clone(), ..self.clone() }
    }
}

/// An event as it goes over the wire.
pub(crate) fn event(event: &Value) -> Arc<[u8]> {
    event.to_string().into_bytes().into()
}

fn first_word(text: &str) -> &str {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')).next().unwrap_or_default()
}
