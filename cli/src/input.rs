//! The one reader of input: files and stdin, by lines, by JSON values or whole, in constant memory.

use std::{
    cell::Cell,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    thread,
};

use anyhow::{Context as _, anyhow, bail};
use memchr::memchr_iter;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};
use tokio::sync::mpsc;

/// Pieces read ahead. With the batches under way they are all of the input that is in memory.
const READ_AHEAD: usize = 64;
/// A JSON text may be longer than what it says: `\u00e9` is two bytes.
const ESCAPED: usize = 6;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How input is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Split {
    /// JSON by its values, an array by its elements; anything else whole
    #[default]
    Auto,
    /// By lines, empty ones left out
    Lines,
    /// Not at all
    Whole,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file's name; `None` for stdin.
    pub(crate) file: Option<Arc<str>>,
    /// Where it ends.
    pub(crate) line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file} line {}", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

/// One part of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) place: Place,
    /// `None` when it is longer than any may be.
    pub(crate) text: Option<Vec<u8>>,
    /// Whether it was read as JSON.
    pub(crate) is_json: bool,
}

/// A file, or stdin.
#[derive(Debug, Clone)]
pub(crate) struct Source(Option<PathBuf>);

impl Source {
    /// `-` is stdin.
    pub(crate) fn new(path: &Path) -> Self {
        Self((path.as_os_str() != "-").then(|| path.to_owned()))
    }

    pub(crate) const STDIN: Self = Self(None);

    /// Whether it can be read once only: stdin, a pipe by name.
    pub(crate) fn is_stream(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|path| path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()))
    }

    fn name(&self) -> Option<Arc<str>> {
        Some(self.0.as_ref()?.display().to_string().into())
    }

    fn open(&self) -> anyhow::Result<Box<dyn Read>> {
        let Some(path) = &self.0 else { return Ok(Box::new(io::stdin())) };
        let context = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(context)?;
        if file.metadata().with_context(context)?.is_dir() {
            bail!("cannot read {}: it is a folder", path.display());
        }
        Ok(Box::new(file))
    }

    /// Fails when it cannot be read.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.open().map(drop)
    }

    /// All of it, without a byte order mark.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let mut bytes = Vec::new();
        let name = self.name().unwrap_or_else(|| "stdin".into());
        self.open()?.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is no text in UTF-8"))?;
        Ok(sluicegate::events::json::without_mark(&text).to_owned())
    }

    /// Hands on piece after piece. What begins as JSON and is none fails with its line and column.
    pub(crate) fn read(
        &self,
        split: Split,
        max_bytes: usize,
        hand_on: &mut dyn FnMut(Piece) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        let reader = BufReader::new(self.open()?);
        let file = self.name();
        let name = file.clone().unwrap_or_else(|| "stdin".into());
        cut(reader, split, max_bytes, file.as_ref(), hand_on).map_err(|error| {
            match error.downcast::<serde_json::Error>() {
                Ok(problem) if problem.is_io() => anyhow!("cannot read on in {name}: {problem}"),
                Ok(problem) => {
                    anyhow!(
                        "{name} begins as JSON and is none: {problem}; mend it, or add --split lines or --split whole"
                    )
                }
                Err(error) => error.context(format!("cannot read on in {name}")),
            }
        })
    }
}

/// Reads on a thread of its own: reading stdin cannot be interrupted, and Ctrl-C must be heard meanwhile. The thread ends
/// with its input, or with the process.
pub(crate) fn pieces(
    sources: Vec<Source>,
    split: Split,
    max_bytes: usize,
    rounds: u32,
) -> mpsc::Receiver<anyhow::Result<Piece>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    thread::spawn(move || {
        // A stream cannot be read twice.
        let keeps = rounds > 1 && sources.iter().any(Source::is_stream);
        let mut kept = Vec::new();
        for round in 0..rounds {
            let mut hand_on = |piece: Piece| match sender.blocking_send(Ok(piece)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_nobody_listens) => ControlFlow::Break(()),
            };
            if keeps && round > 0 {
                if kept.iter().cloned().try_for_each(&mut hand_on).is_break() {
                    return;
                }
                continue;
            }
            for source in &sources {
                let mut keep_and_hand_on = |piece: Piece| {
                    kept.extend(keeps.then(|| piece.clone()));
                    hand_on(piece)
                };
                if let Err(error) = source.read(split, max_bytes, &mut keep_and_hand_on) {
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        }
    });
    receiver
}

fn cut(
    mut reader: impl BufRead,
    split: Split,
    max_bytes: usize,
    file: Option<&Arc<str>>,
    hand_on: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut head = Vec::new();
    reader.by_ref().take(3).read_to_end(&mut head)?;
    if head == MARK {
        head.clear();
    }
    if split == Split::Auto {
        while head.last().is_none_or(u8::is_ascii_whitespace) && reader.by_ref().take(1).read_to_end(&mut head)? > 0 {}
    }
    let first = head.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    let mut reader = head.as_slice().chain(reader);
    match (split, first) {
        (Split::Lines, _) => lines(reader, max_bytes, file, hand_on),
        (Split::Auto, None) => Ok(()),
        (Split::Auto, Some(b'{' | b'[')) => json(reader, first == Some(b'['), max_bytes, file, hand_on),
        (Split::Auto | Split::Whole, _) => {
            let mut text = Vec::new();
            reader.by_ref().take(max_bytes as u64 + 1).read_to_end(&mut text)?;
            let is_json = split == Split::Auto && serde_json::from_slice::<&RawValue>(&text).is_ok();
            let line = memchr_iter(b'\n', &text).count() as u64 + 1;
            let text = (text.len() <= max_bytes).then_some(text);
            let _ = hand_on(Piece { place: Place { file: file.cloned(), line }, text, is_json });
            Ok(())
        }
    }
}

fn lines(
    mut reader: impl BufRead,
    max_bytes: usize,
    file: Option<&Arc<str>>,
    hand_on: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    for line in 1.. {
        let mut text = Vec::new();
        // Two more for the line's end.
        let most = max_bytes + 2;
        if reader.by_ref().take(most as u64).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let is_too_long = text.len() == most && !text.ends_with(b"\n");
        if is_too_long {
            reader.skip_until(b'\n')?;
        }
        let end = text.trim_ascii_end().len();
        if end == 0 {
            continue;
        }
        let ending = text.strip_suffix(b"\n").map_or(text.len(), |line| line.strip_suffix(b"\r").unwrap_or(line).len());
        text.truncate(ending);
        let place = Place { file: file.cloned(), line };
        if hand_on(Piece { place, text: (!is_too_long).then_some(text), is_json: false }).is_break() {
            break;
        }
    }
    Ok(())
}

/// One array by its elements, or one value after the other.
fn json(
    reader: impl Read,
    is_array: bool,
    max_bytes: usize,
    file: Option<&Arc<str>>,
    hand_on: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let read = Rc::new(Progress { line: Cell::new(1), bytes: Cell::new(0) });
    let reader = Limited { reader, read: Rc::clone(&read), most: max_bytes * ESCAPED };
    let mut hand_on = |value: Box<RawValue>| {
        read.bytes.set(0);
        let place = Place { file: file.cloned(), line: read.line.get() };
        let text = String::from(Box::<str>::from(value));
        hand_on(Piece { place, text: Some(text.into_bytes()), is_json: true })
    };
    let mut json = Deserializer::from_reader(reader);
    if !is_array {
        for value in json.into_iter() {
            if hand_on(value?).is_break() {
                break;
            }
        }
        return Ok(());
    }
    json.deserialize_seq(Elements(&mut hand_on))?;
    Ok(json.end()?)
}

struct Elements<'h>(&'h mut dyn FnMut(Box<RawValue>) -> ControlFlow<()>);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            if (self.0)(element).is_break() {
                return Err(serde::de::Error::custom("nobody reads on"));
            }
        }
        Ok(())
    }
}

struct Progress {
    line: Cell<u64>,
    /// Since the last value.
    bytes: Cell<usize>,
}

/// Counts what is read, and gives up a value that is longer than any may be.
struct Limited<R> {
    reader: R,
    read: Rc<Progress>,
    most: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let Progress { line, bytes } = &*self.read;
        line.set(line.get() + memchr_iter(b'\n', &buffer[..count]).count() as u64);
        bytes.set(bytes.get() + count);
        if bytes.get() > self.most {
            return Err(io::Error::other("a JSON value here is longer than any message may be"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
