//! What is uploaded: the built function, as large as its zip file makes it.

use std::{fs, io::Write};

use anyhow::{Context, Result};
use flate2::{Compression, write::DeflateEncoder};
use serde::Serialize;

use crate::{
    progress::Progress,
    subject::{Kind, Subject},
};

/// The header by which the SDK's clients say what they are; in every binary that holds one.
const SDK_USER_AGENT: &[u8] = b"x-amz-user-agent";

/// A built function.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The function.
    pub name: String,
    /// The binary, stripped as it is deployed.
    pub bytes: usize,
    /// Packed as a zip file packs it, as tight as it goes; the headers, some hundred bytes, not counted.
    pub zip_bytes: usize,
    /// Whether it holds a client of the AWS SDK.
    pub sdk: bool,
    /// Whether it is a peer of stock Rust.
    pub stock: bool,
}

/// Packs each function, and the bare echo.
pub fn weigh(subjects: &[Subject], progress: &Progress) -> Result<Vec<Built>> {
    subjects.iter().filter(|subject| subject.kind != Kind::Peer).map(|subject| one(subject, progress)).collect()
}

fn one(subject: &Subject, progress: &Progress) -> Result<Built> {
    progress.say(&format!("packing {}", subject.name));
    let path = subject.command.first().context("a subject without a command")?;
    let binary = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&binary)?;
    Ok(Built {
        name: subject.name.clone(),
        bytes: binary.len(),
        zip_bytes: packed.finish()?.len(),
        stock: subject.kind == Kind::Stock,
        sdk: binary.windows(SDK_USER_AGENT.len()).any(|window| window == SDK_USER_AGENT),
    })
}
