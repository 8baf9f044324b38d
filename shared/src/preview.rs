//! What a log line shows of data that came from outside: its beginning, readable, within a limit.

use std::{borrow::Cow, fmt::Write as _};

/// The beginning of some data, as a log line shows it.
///
/// ```
/// use sluicegate::preview::{Encoding, Preview};
///
/// let text = Preview::of("한글".as_bytes(), 4);
/// assert_eq!((&*text.shown, text.encoding, text.is_truncated), ("한", Encoding::Text, true));
/// let bytes = Preview::of(&[0xFF, 0x00, 0x7F], 4);
/// assert_eq!((&*bytes.shown, bytes.encoding, bytes.is_truncated), ("ff00", Encoding::Hex, true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview<'d> {
    /// At most as many bytes as were allowed.
    pub shown: Cow<'d, str>,
    /// How to read it.
    pub encoding: Encoding,
    /// Whether the data goes on.
    pub is_truncated: bool,
}

/// How a [`Preview`] is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Text,
    /// Two digits a byte.
    Hex,
}

impl Encoding {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }
}

impl<'d> Preview<'d> {
    /// Text where the whole of the data is UTF-8 without control characters other than newline, carriage return and
    /// tab; hex otherwise. `max_bytes` limits what is shown: hex shows half as many bytes of the data.
    #[must_use]
    pub fn of(data: &'d [u8], max_bytes: usize) -> Self {
        match str::from_utf8(data) {
            Ok(text) if !text.chars().any(is_unreadable) => {
                let shown = cut(text, max_bytes);
                Self { shown: shown.into(), encoding: Encoding::Text, is_truncated: shown.len() < text.len() }
            }
            _ => {
                let bytes = &data[..data.len().min(max_bytes / 2)];
                let is_truncated = bytes.len() < data.len();
                Self { shown: hex(bytes).into(), encoding: Encoding::Hex, is_truncated }
            }
        }
    }
}

/// The longest beginning of `text` of at most `max_bytes` that does not split a character.
#[must_use]
pub fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Two lower-case digits a byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn is_unreadable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("한글", 0), "");
        assert_eq!(cut("한글", 2), "");
        assert_eq!(cut("한글", 5), "한");
        assert_eq!(cut("한글", 6), "한글");
        assert_eq!(cut("한글", 100), "한글");
    }

    #[test]
    fn lines_and_tabs_are_text_and_other_control_characters_are_not() {
        assert_eq!(Preview::of(b"a\tb\r\nc", 100).encoding, Encoding::Text);
        for data in [&b"\x1b[2J"[..], b"a\0b", b"\x7f", "\u{85}".as_bytes(), b"\xFF\xFE"] {
            assert_eq!(Preview::of(data, 100).encoding, Encoding::Hex, "{data:?}");
        }
    }

    #[test]
    fn what_is_no_text_further_on_is_shown_as_hex_from_the_start() {
        let preview = Preview::of(b"abcdef\0", 4);
        assert_eq!((&*preview.shown, preview.is_truncated), ("6162", true));
    }

    #[test]
    fn nothing_is_text_and_whole() {
        assert_eq!(Preview::of(b"", 0), Preview { shown: "".into(), encoding: Encoding::Text, is_truncated: false });
    }

    proptest! {
        #[test]
        fn no_more_is_shown_than_allowed_and_what_is_shown_is_the_beginning(
            data in proptest::collection::vec(any::<u8>(), 0..40),
            max_bytes in 0_usize..100,
        ) {
            let preview = Preview::of(&data, max_bytes);
            prop_assert!(preview.shown.len() <= max_bytes);
            let whole = match preview.encoding {
                Encoding::Text => str::from_utf8(&data).unwrap().to_owned(),
                Encoding::Hex => hex(&data),
            };
            prop_assert!(whole.starts_with(&*preview.shown));
            prop_assert_eq!(preview.is_truncated, preview.shown.len() < whole.len());
        }
    }
}
