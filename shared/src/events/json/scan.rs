//! The scan under everything that is read: from one JSON value to the next, without reading any.
//!
//! It takes and refuses what `serde_json` does, and is faster where events are long: a text of bodies' JSON has an escape
//! every few bytes, and a text of prose none for pages. What is refused is read again by `serde_json`, for its words.

/// Bytes without an escape after which a text is taken for prose.
const PROSE: usize = 8;

/// How many bytes of prose are looked at together: what a compiler puts into the vector registers of every machine.
const BLOCK: usize = 16;

/// Where a scan is.
pub(super) struct Scan<'a> {
    json: &'a str,
    at: usize,
    /// What closes the lists and objects that are open, the innermost last.
    open: Vec<u8>,
}

/// Each method stands before something and, where that is there, behind it afterwards; `None` is the end of the scan.
impl<'a> Scan<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0, open: Vec::new() }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Only white space is left.
    pub(super) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// An object: `member` is called before the value of each, with the name in its quotes, and takes the value.
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.byte(b'{')?;
        if self.peek()? == b'}' {
            return self.byte(b'}');
        }
        loop {
            let name = self.name()?;
            member(self, name)?;
            if self.closes(b'}')? {
                return Some(());
            }
        }
    }

    /// A list, as [`Scan::object`].
    pub(super) fn list(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.byte(b'[')?;
        if self.peek()? == b']' {
            return self.byte(b']');
        }
        loop {
            element(self)?;
            if self.closes(b']')? {
                return Some(());
            }
        }
    }

    /// A value of any kind and depth, as it is written.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.peek()?;
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    self.text()?;
                }
                b'{' => {
                    self.at += 1;
                    if self.peek()? != b'}' {
                        self.open.push(b'}');
                        self.name()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? != b']' {
                        self.open.push(b']');
                        continue;
                    }
                    self.at += 1;
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&close) = self.open.last() else { return Some(&self.json[start..self.at]) };
                if !self.closes(close)? {
                    if close == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.open.pop();
            }
        }
    }

    /// Whether what stands behind an element closes its list or object; else it is a comma.
    fn closes(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek()?;
        self.at += 1;
        (byte == close || byte == b',').then_some(byte == close)
    }

    /// A member's name, in its quotes, and the colon.
    fn name(&mut self) -> Option<&'a str> {
        self.peek()?;
        let name = self.text()?;
        self.byte(b':')?;
        Some(name)
    }

    /// A text, with its quotes.
    fn text(&mut self) -> Option<&'a str> {
        let bytes = self.json.as_bytes();
        let (start, mut at) = (self.at, self.at + 1);
        if bytes.get(start) != Some(&b'"') {
            return None;
        }
        let mut run = 0;
        loop {
            let byte = *bytes.get(at)?;
            if PLAIN[usize::from(byte)] {
                at += 1;
                run += 1;
                if run == PROSE {
                    at += prose(&bytes[at..]);
                }
                continue;
            }
            run = 0;
            at += match byte {
                b'"' => break,
                b'\\' => match bytes.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                    b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                    _ => return None,
                },
                _ => return None,
            };
        }
        self.at = at + 1;
        Some(&self.json[start..self.at])
    }

    fn number(&mut self) -> Option<()> {
        if self.json.as_bytes().get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let start = self.at;
        let digits = self.digits()?;
        if digits > 1 && self.json.as_bytes()[start] == b'0' {
            return None;
        }
        if self.json.as_bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.json.as_bytes().get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.json.as_bytes().get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one; how many.
    fn digits(&mut self) -> Option<usize> {
        let digits = self.json.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_there = self.json.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_there.then_some(())
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        let is_there = self.peek()? == byte;
        self.at += 1;
        is_there.then_some(())
    }
}

/// Whether a byte of a text is neither its end nor an escape nor forbidden.
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// [`is_plain`] of every byte: one look instead of three comparisons.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = u8::MAX;
    loop {
        plain[byte as usize] = is_plain(byte);
        if byte == 0 {
            break plain;
        }
        byte -= 1;
    }
};

/// How many bytes at the beginning are plain, in whole blocks.
fn prose(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    // Without a branch for each byte, so that a block is a few instructions.
    blocks.iter().take_while(|block| block.iter().fold(true, |plain, &byte| plain & is_plain(byte))).count() * BLOCK
}
