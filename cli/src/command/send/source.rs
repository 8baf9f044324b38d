//! What is sent: one body, or the elements of a file.

use serde_json::value::RawValue;
use sluicegate::events::json::without_mark;

/// How a file is cut into messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Split {
    /// A JSON array by elements, JSON lines by lines, anything else whole
    #[default]
    Auto,
    /// One message a line, empty lines left out
    Lines,
    /// One message, whatever is in it
    Whole,
}

/// The bodies in a text, whose byte order mark is of the file and of no message. An element that is a JSON string is sent
/// as its text, any other as it is written.
pub(crate) fn bodies(text: &str, split: Split) -> Result<Vec<String>, String> {
    let text = without_mark(text);
    match split {
        Split::Whole => Ok(vec![text.to_owned()]),
        Split::Lines => Ok(lines(text).map(|(_, line)| line.to_owned()).collect()),
        Split::Auto => elements(text),
    }
}

fn elements(text: &str) -> Result<Vec<String>, String> {
    if let Ok(array) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return Ok(array.into_iter().map(|element| body(element.get())).collect());
    }
    // One JSON value over many lines is one message.
    if serde_json::from_str::<&RawValue>(text).is_ok() {
        return Ok(vec![body(text.trim())]);
    }
    let looks_like_json_lines = lines(text).next().is_some_and(|(_, line)| is_object_or_array(line));
    if !looks_like_json_lines {
        return Ok(if text.trim().is_empty() { Vec::new() } else { vec![text.to_owned()] });
    }
    lines(text)
        .map(|(number, line)| match serde_json::from_str::<&RawValue>(line) {
            Ok(_) => Ok(body(line.trim())),
            Err(error) => Err(format!(
                "line {number} is not JSON ({error}) while the first line is: mend it, or add --split lines or --split whole"
            )),
        })
        .collect()
}

fn is_object_or_array(line: &str) -> bool {
    line.trim_start().starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(line).is_ok()
}

/// The lines that are not empty, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

fn body(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_not_a_string| json.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(text: &str) -> Vec<String> {
        bodies(text, Split::Auto).unwrap()
    }

    #[test]
    fn an_array_is_a_message_an_element_as_it_is_written() {
        assert_eq!(auto(r#" [ {"n": 1.0, "b":2}, "text\n", 3 ] "#), [r#"{"n": 1.0, "b":2}"#, "text\n", "3"]);
        assert_eq!(auto("[]"), Vec::<String>::new());
    }

    #[test]
    fn a_byte_order_mark_is_in_no_message() {
        assert_eq!(auto("\u{feff}[{\"n\":1},2]"), ["{\"n\":1}", "2"]);
        assert_eq!(auto("\u{feff}{\"n\":1}\n{\"n\":2}\n"), ["{\"n\":1}", "{\"n\":2}"]);
        assert_eq!(auto("\u{feff}text"), ["text"]);
        for split in [Split::Lines, Split::Whole] {
            assert_eq!(bodies("\u{feff}text", split).unwrap(), ["text"]);
        }
    }

    #[test]
    fn json_lines_are_a_message_a_line() {
        assert_eq!(auto("{\"n\":1}\n\n{\"n\":2}\r\n"), ["{\"n\":1}", "{\"n\":2}"]);
    }

    #[test]
    fn one_object_over_many_lines_is_one_message() {
        assert_eq!(auto("{\n  \"n\": 1\n}\n"), ["{\n  \"n\": 1\n}"]);
    }

    #[test]
    fn other_text_is_one_message_as_it_is() {
        assert_eq!(auto("two\nlines\n"), ["two\nlines\n"]);
        assert_eq!(auto(" \n"), Vec::<String>::new());
    }

    #[test]
    fn a_broken_line_among_json_lines_is_named_and_nothing_is_sent() {
        let refusal = bodies("{\"n\":1}\n{\"n\":\n", Split::Auto).unwrap_err();
        assert!(refusal.starts_with("line 2 is not JSON"), "{refusal}");
    }

    #[test]
    fn lines_and_whole_do_not_look_inside() {
        assert_eq!(bodies("[1]\nb\n", Split::Lines).unwrap(), ["[1]", "b"]);
        assert_eq!(bodies("[1]\nb\n", Split::Whole).unwrap(), ["[1]\nb\n"]);
    }

    #[test]
    fn the_donors_of_the_sample_data_are_messages() {
        assert!(auto(include_str!("../../../../events/data/slow_data.json")).len() > 1);
    }
}
