//! Text that cannot leave its place in a line.

use std::fmt::{self, Write};

/// Writes text with whatever could end a value, forge a line or steer a terminal escaped, in JSON's notation.
///
/// Escaped are quotes and backslashes, control characters, the line and paragraph separators, and the marks that turn
/// the writing direction round: a line reads the same to a parser, a terminal and an eye.
pub(crate) struct Escaped<'l>(pub(crate) &'l mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Most values are plain, and looked through byte by byte.
        if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
            self.0.push_str(text);
            return Ok(());
        }
        let mut rest = text;
        while let Some((place, character)) = rest.char_indices().find(|&(_, character)| is_special(character)) {
            self.0.push_str(&rest[..place]);
            self.push(character)?;
            rest = &rest[place + character.len_utf8()..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

impl Escaped<'_> {
    fn push(&mut self, character: char) -> fmt::Result {
        match character {
            '"' => self.0.push_str("\\\""),
            '\\' => self.0.push_str("\\\\"),
            '\n' => self.0.push_str("\\n"),
            '\r' => self.0.push_str("\\r"),
            '\t' => self.0.push_str("\\t"),
            _ => return write!(self.0, "\\u{:04x}", u32::from(character)),
        }
        Ok(())
    }
}

/// All of these have four hexadecimal digits at the most.
fn is_special(character: char) -> bool {
    match character {
        ' ' | '!' | '#'..='[' | ']'..='~' => false,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => matches!(character, '"' | '\\') || character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut line = String::new();
        Escaped(&mut line).write_str(text).unwrap();
        line
    }

    #[test]
    fn what_steers_is_escaped_and_what_is_only_foreign_is_not() {
        assert_eq!(escaped("a\"b\\c\r\n\t\u{1b}[2J"), r#"a\"b\\c\r\n\t\u001b[2J"#);
        assert_eq!(escaped("\u{85}\u{9b}\u{7f}\u{2028}\u{2029}\u{202e}"), r"\u0085\u009b\u007f\u2028\u2029\u202e");
        assert_eq!(escaped("한글, naïve, 🙂"), "한글, naïve, 🙂");
    }

    proptest! {
        #[test]
        fn any_text_is_one_json_string_that_reads_back_as_it_was(text in any::<String>()) {
            let json = format!("\"{}\"", escaped(&text));
            prop_assert!(!json.chars().any(char::is_control), "{json}");
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
