//! Lines, read while earlier ones are on their way.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::record::Place;

/// Lines read ahead. With the batch under way they are all of the input that is in memory.
const READ_AHEAD: usize = 64;

/// A file, or stdin.
pub(super) struct Source {
    name: Option<Arc<str>>,
    reader: Box<dyn Read + Send>,
}

/// One line that is not empty, without white space around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) place: Place,
    /// `None` when it is longer than any record may be.
    pub(super) text: Option<Vec<u8>>,
}

/// Opens every file, so that one that is not there is known before anything is put; no file means stdin, as `-` does.
pub(super) fn open(files: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    if files.is_empty() {
        return Ok(vec![stdin()]);
    }
    files.iter().map(|path| if path.as_os_str() == "-" { Ok(stdin()) } else { file(path) }).collect()
}

fn stdin() -> Source {
    Source { name: None, reader: Box::new(io::stdin()) }
}

fn file(path: &Path) -> anyhow::Result<Source> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(context)?;
    if file.metadata().with_context(context)?.is_dir() {
        anyhow::bail!("cannot read {}: it is a folder", path.display());
    }
    Ok(Source { name: Some(path.display().to_string().into()), reader: Box::new(file) })
}

/// Reads line after line on a thread of its own: reading stdin cannot be interrupted, and Ctrl-C must be heard meanwhile.
/// The thread ends with its input, or with the process.
pub(super) fn lines(sources: Vec<Source>, max_bytes: usize) -> mpsc::Receiver<anyhow::Result<Line>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    thread::spawn(move || {
        for Source { name, reader } in sources {
            let mut reader = BufReader::new(reader);
            for number in 1.. {
                let place = Place { file: name.clone(), line: number };
                let read = match next_line(&mut reader, max_bytes) {
                    Ok(Next::Line(text)) => Ok(Line { place, text: Some(text) }),
                    Ok(Next::TooLong) => Ok(Line { place, text: None }),
                    Ok(Next::End) => break,
                    Err(error) => Err(anyhow::Error::from(error).context(format!("cannot read on from {place}"))),
                };
                let is_empty = matches!(&read, Ok(Line { text: Some(text), .. }) if text.is_empty());
                if !is_empty && sender.blocking_send(read).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

/// What stands next in the input.
enum Next {
    Line(Vec<u8>),
    TooLong,
    End,
}

/// Reads the next line, and holds no more of it than a record may have.
fn next_line(reader: &mut impl BufRead, max_bytes: usize) -> io::Result<Next> {
    let mut line = Vec::new();
    // Two more for the line's end.
    let most = max_bytes + 2;
    if reader.by_ref().take(most as u64).read_until(b'\n', &mut line)? == 0 {
        return Ok(Next::End);
    }
    if line.len() == most && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
        return Ok(Next::TooLong);
    }
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
    Ok(Next::Line(line.trim_ascii().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(texts: &[&'static [u8]], max_bytes: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let source = |text: &&'static [u8]| Source { name: None, reader: Box::new(*text) };
        let mut lines = lines(texts.iter().map(source).collect(), max_bytes);
        let mut read = Vec::new();
        while let Some(line) = lines.recv().await {
            let line = line.unwrap();
            read.push((line.place.line, line.text));
        }
        read
    }

    #[tokio::test]
    async fn empty_lines_are_left_out_and_counted() {
        let read = read(&[b"\xef\xbb\xbf{}\r\n\n  \n {\"n\": 1} ", b"2\n"], 100).await;
        assert_eq!(read, [(1, Some(b"{}".to_vec())), (4, Some(b"{\"n\": 1}".to_vec())), (1, Some(b"2".to_vec()))]);
    }

    #[tokio::test]
    async fn a_line_too_long_is_passed_over_and_the_next_is_read() {
        assert_eq!(
            read(&[b"12345\r\n1234567890123\n1\n"], 5).await,
            [(1, Some(b"12345".to_vec())), (2, None), (3, Some(b"1".to_vec()))]
        );
        assert_eq!(read(&[b"1234567890123"], 5).await, [(1, None)]);
    }

    #[test]
    fn a_file_that_is_not_there_is_known_at_once() {
        let problem = open(&["no-such-file.jsonl".into()]).err().unwrap().to_string();
        assert_eq!(problem, "cannot read no-such-file.jsonl");
    }
}
