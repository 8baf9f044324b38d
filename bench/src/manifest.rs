//! What a function says of itself in its `Cargo.toml`, for the bench and the tests.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// `[package.metadata.sluicegate]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// A file with an event that is typical of the function, as seen from the root.
    pub sample: String,
    /// What it needs to start.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What it may weigh as a zip file.
    pub zip_megabytes: f64,
    /// What it may log of a record, in an event of a hundred. What has no records, or does more with each than log it, has none.
    pub log_bytes_a_record: Option<f64>,
}

/// What cargo tells of a workspace.
#[derive(Debug, Deserialize)]
struct Workspace {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    sluicegate: Option<Manifest>,
}

/// Each function's, by its name.
pub fn manifests(root: &Path) -> Result<BTreeMap<String, Manifest>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()
        .context("cargo does not start")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let workspace: Workspace =
        serde_json::from_slice(&output.stdout).context("[package.metadata.sluicegate] of a function")?;
    let own = |package: Package| Some((package.name, package.metadata?.sluicegate?));
    Ok(workspace.packages.into_iter().filter_map(own).collect())
}
