//! What is done to letters: each deed is a command of `sluice`, and is shown as the line that one would type.

use std::{
    fs::{File, OpenOptions},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{
    dead_letter::{Group, Letter, Origin},
    global::Global,
};

/// Letters of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) queue: String,
    pub(super) count: u64,
    /// By kind and reason, where nothing else fits that.
    pub(super) selector: Vec<String>,
    /// One by one; none for all of the queue.
    pub(super) ids: Vec<String>,
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deed {
    /// What it is, for the question.
    pub(super) verb: &'static str,
    pub(super) count: u64,
    pub(super) queue: String,
    pub(super) arguments: Vec<String>,
    /// Where what it prints goes.
    pub(super) file: Option<String>,
}

impl Chosen {
    pub(super) fn all(queue: &str, count: u64) -> Self {
        Self { queue: queue.to_owned(), count, selector: Vec::new(), ids: Vec::new() }
    }

    pub(super) fn letter(queue: &str, letter: &Letter) -> Self {
        let id = letter.record.message_id.clone();
        let selector = vec!["--id".to_owned(), id.clone()];
        Self { queue: queue.to_owned(), count: 1, selector, ids: vec![id] }
    }

    pub(super) fn group(queue: &str, groups: &[Group<'_>], index: usize) -> Option<Self> {
        let group = groups.get(index)?;
        let ids: Vec<String> = group.letters.iter().map(|letter| letter.record.message_id.clone()).collect();
        let told = group.letters.first().and_then(|letter| crate::dead_letter::reason(&letter.record));
        let mut others = groups.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, group)| group);
        // A reason that is a part of another's would choose both.
        let fits = |other: &Group<'_>| {
            other.kind == group.kind && told.as_ref().is_none_or(|reason| other.reason.contains(reason.as_str()))
        };
        let selector = if others.any(fits) {
            ids.iter().flat_map(|id| ["--id".to_owned(), id.clone()]).collect()
        } else {
            let kind = ["--kind".to_owned(), group.kind.to_string()];
            kind.into_iter().chain(told.into_iter().flat_map(|reason| ["--reason".to_owned(), reason])).collect()
        };
        Some(Self { queue: queue.to_owned(), count: ids.len() as u64, selector, ids })
    }

    pub(super) fn redrive(&self) -> Deed {
        self.deed("redrive", &["redrive", &self.queue], &self.selector, None)
    }

    pub(super) fn delete(&self) -> Deed {
        let most = self.most();
        let take = ["receive", &self.queue, "--delete", "--visibility", "5m", "--max", &most];
        self.deed("delete", &take, &self.by_id(), None)
    }

    pub(super) fn export(&self) -> Deed {
        let most = self.most();
        let look = ["receive", &self.queue, "--peek", "--max", &most, "--output", "json"];
        self.deed("export", &look, &self.by_id(), Some(format!("{}.jsonl", self.queue)))
    }

    pub(super) fn send(&self, to: &str, file: &str) -> Deed {
        self.deed("send", &["send", to, "--messages", file], &[], None)
    }

    fn most(&self) -> String {
        self.count.clamp(1, 120_000).to_string()
    }

    fn by_id(&self) -> Vec<String> {
        self.ids.iter().flat_map(|id| ["--id".to_owned(), id.clone()]).collect()
    }

    fn deed(&self, verb: &'static str, words: &[&str], more: &[String], file: Option<String>) -> Deed {
        let arguments = words.iter().map(|word| (*word).to_owned()).chain(more.iter().cloned()).collect();
        Deed { verb, count: self.count, queue: self.queue.clone(), arguments, file }
    }
}

impl Deed {
    /// As one would type it.
    pub(super) fn line(&self, global: &Global) -> String {
        let words = self.arguments.iter().cloned().chain(options(global)).map(|word| quoted(&word));
        let line = ["sluice".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ");
        self.file.iter().fold(line, |line, file| format!("{line} > {}", quoted(file)))
    }

    /// Runs it, with the terminal, and answers whether it did what it was to do.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<bool> {
        let mut command = Command::new(std::env::current_exe().context("sluice does not find itself")?);
        command.args(&self.arguments).args(options(global));
        if let Some(name) = &self.file {
            // Nothing that is there is written over.
            let file: File = OpenOptions::new().write(true).create_new(true).open(name).context(name.clone())?;
            command.stdout(Stdio::from(file));
        }
        Ok(command.status().context("sluice cannot be run")?.success())
    }
}

fn options(global: &Global) -> impl Iterator<Item = String> {
    let Global { endpoint_url, region, profile, .. } = global;
    let given = [("--endpoint-url", endpoint_url), ("--region", region), ("--profile", profile)];
    let given = given.map(|(name, value)| value.clone().map(|value| [name.to_owned(), value]));
    given.into_iter().flatten().flatten()
}

/// For a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The queue that a letter says it came from, to send it there once it is mended.
pub(super) fn source(letter: &Letter) -> String {
    match &letter.origin {
        Origin::Moved(source) | Origin::Rejected(source) => crate::flow::name(source).to_owned(),
        _ => String::new(),
    }
}
