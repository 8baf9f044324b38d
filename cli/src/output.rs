//! The only place that prints.
//!
//! Results go to stdout, everything said beside them to stderr. What others wrote (message bodies, names, AWS's words)
//! reaches a terminal with its control characters escaped, since they could move the cursor or retitle the window; a
//! pipe or a file gets it as it is.
//!
//! A command's deeds do not depend on who reads: a reader that is slow holds nothing up, and one that has gone is not
//! printed for any more. Where printing is the deed, [`Output::deliver`] says whether it was done.

mod progress;
mod warning;
mod writer;

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, IsTerminal},
};

use anyhow::{Context as _, bail};
use serde::Serialize;

pub(crate) use self::progress::Progress;
use self::writer::Stream;
use crate::usage::UsageError;

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, stdout_is_terminal: io::stdout().is_terminal(), stderr_is_terminal: io::stderr().is_terminal() }
    }

    /// As if a person looked at everything.
    #[cfg(test)]
    pub(crate) fn to_terminal() -> Self {
        Self { format: Format::Text, stdout_is_terminal: true, stderr_is_terminal: true }
    }

    /// As if everything were piped.
    #[cfg(test)]
    pub(crate) fn to_pipe() -> Self {
        Self { format: Format::Text, stdout_is_terminal: false, stderr_is_terminal: false }
    }

    /// Whether a person reads stdout.
    pub(crate) fn is_terminal(self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether there is a screen for progress bars and questions.
    pub(crate) fn has_progress(self) -> bool {
        self.stderr_is_terminal
    }

    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// A result: `text` or `value`, whichever the user asked for.
    pub(crate) fn result(self, text: impl FnOnce() -> String, value: &impl Serialize) -> anyhow::Result<()> {
        if self.is_json() {
            return self.json(value);
        }
        self.line(&text());
        Ok(())
    }

    /// One line, or several, of text. Escape what others wrote with [`Output::shown`] first.
    pub(crate) fn line(self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// One line of JSON.
    pub(crate) fn json(self, value: &impl Serialize) -> anyhow::Result<()> {
        let json = serde_json::to_string(value).context("the result cannot be written as JSON")?;
        self.line(&if self.stdout_is_terminal { escape_in_json(&json) } else { Cow::Borrowed(&*json) });
        Ok(())
    }

    /// Exactly these bytes.
    #[allow(clippy::unused_self, reason = "printing is this type's right")]
    pub(crate) fn bytes(self, bytes: &[u8]) {
        writer::write(Stream::Stdout, bytes.to_vec());
    }

    /// Exactly these bytes, to stderr; waits until they are written.
    #[allow(clippy::unused_self, reason = "printing is this type's right")]
    pub(crate) async fn stderr(self, bytes: &[u8]) {
        writer::write(Stream::Stderr, bytes.to_vec());
        // Whether stdout is open does not matter here.
        let _ = writer::settled().await;
    }

    /// As [`Output::result`], and waits until it is written. Fails when it is not.
    pub(crate) async fn deliver(self, text: impl FnOnce() -> String, value: &impl Serialize) -> anyhow::Result<()> {
        self.result(text, value)?;
        self.delivered().await
    }

    /// Waits until all is written. Fails when a part of it is not.
    pub(crate) async fn delivered(self) -> anyhow::Result<()> {
        writer::settled().await.context("what was received cannot be printed")
    }

    /// Waits until all is written, or nobody reads any more. Fails when a part of it was lost.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        match writer::settled().await {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(anyhow::Error::from(error).context("not all could be printed"))
            }
            _ => Ok(()),
        }
    }

    /// What others wrote, fit for stdout: escaped for a terminal, as it is for a pipe.
    pub(crate) fn shown(self, text: &str) -> Cow<'_, str> {
        if self.stdout_is_terminal { escape(text) } else { Cow::Borrowed(text) }
    }

    /// Something said beside the results. What others wrote in it is escaped here.
    pub(crate) fn note(self, text: &str) {
        let text = if self.stderr_is_terminal { escape(text) } else { Cow::Borrowed(text) };
        writer::write(Stream::Stderr, format!("{text}\n").into_bytes());
    }

    /// The reason why the command failed, in one sentence.
    pub(crate) fn error(self, error: &anyhow::Error) {
        self.note(&format!("sluice: {}", sluicegate::error_chain::error_chain(error.as_ref())));
    }

    /// Whether a person is there to answer.
    pub(crate) fn can_ask(self) -> bool {
        self.stderr_is_terminal && io::stdin().is_terminal()
    }

    /// Waits for Enter.
    #[allow(clippy::unused_self, reason = "printing is this type's right")]
    pub(crate) fn wait_for_enter(self, then: &str) -> anyhow::Result<()> {
        writer::write(Stream::Stderr, format!("— Enter {then} ").into_bytes());
        io::stdin().read_line(&mut String::new())?;
        Ok(())
    }

    /// Asks on the terminal whether to do this. Fails where the answer is not yes, or nobody is there.
    pub(crate) fn confirm(self, deed: &str) -> anyhow::Result<()> {
        if !self.can_ask() {
            bail!(UsageError(format!("this would {deed}, and nobody is there to be asked: add --yes")));
        }
        writer::write(Stream::Stderr, format!("{}? [y/N] ", escape(deed)).into_bytes());
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was done: the answer was not yes"),
        }
    }
}

/// Whether printing was the deed, and who reads has read enough.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Makes text harmless for a terminal, and one line.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.extend(c.escape_default()),
            c if is_unsafe(c) => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// JSON escapes control characters below the space; these it leaves alone.
fn escape_in_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let escape_one = |c: char| if is_unsafe(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Cow::Owned(json.chars().map(escape_one).collect())
}

/// Control characters, and those that reorder the text around them.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_escaped() {
        assert_eq!(escape("\u{1b}]0;owned\u{7} \u{9b}2J\r\n\tё"), "\\u{1b}]0;owned\\u{7} \\u{9b}2J\\r\\n\\tё");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(escape("naïve 漢字 \\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn escaped_json_reads_as_the_same_text() {
        let json = serde_json::to_string("\u{7f}\u{9b}31m\u{202e}").unwrap();
        let escaped = escape_in_json(&json);
        assert_eq!(escaped, r#""\u007f\u009b31m\u202e""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "\u{7f}\u{9b}31m\u{202e}");
    }
}
