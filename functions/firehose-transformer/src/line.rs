//! JSON lines: read, cleaned up, enriched and written again.

use std::collections::HashMap;

use serde_json::{json, value::RawValue};
use sluicegate::events::json::JsonProblem;

/// Why a body is not lines of JSON objects. Says where, and nothing of what stands there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MalformedLine {
    #[error("not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    #[error("not JSON: {0}")]
    NotJson(#[from] JsonProblem),
    #[error("value {number} is {kind}, not an object")]
    NotAnObject { number: usize, kind: &'static str },
}

/// The fields of an object, each value as it is written; of two with one name the last.
pub(crate) type Fields<'a> = HashMap<String, &'a RawValue>;

/// One JSON object of a body.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    text: &'a RawValue,
    /// What is in it.
    pub(crate) fields: Fields<'a>,
}

/// The JSON objects in a body: one a line, or spread over lines, or with nothing between.
///
/// A byte order mark before the first and white space around them are passed over; a body may hold none at all.
pub(crate) fn objects(body: &[u8]) -> Result<Vec<Object<'_>>, MalformedLine> {
    let text = std::str::from_utf8(body).map_err(|problem| MalformedLine::NotUtf8(problem.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().enumerate();
    values.map(|(index, value)| object(index + 1, value.map_err(JsonProblem::from)?)).collect()
}

fn object(number: usize, text: &RawValue) -> Result<Object<'_>, MalformedLine> {
    let kind = match text.get().as_bytes().first() {
        Some(b'{') => return Ok(Object { text, fields: serde_json::from_str(text.get()).map_err(JsonProblem::from)? }),
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    Err(MalformedLine::NotAnObject { number, kind })
}

/// Fields that each line is to have, where their value is known.
pub(crate) type Enrichment<'a> = [(&'static str, Option<&'a str>)];

impl Object<'_> {
    /// Writes the object as a line: without white space between its parts, and with those fields added that it has not.
    ///
    /// All else stays as it is written: the order of fields, nulls, escapes and, above all, numbers, which would lose
    /// digits on the way through a floating-point value.
    pub(crate) fn write(&self, line: &mut String, enrichment: &Enrichment<'_>) {
        compact(line, self.text.get());
        // The brace comes back after the fields that are added.
        line.pop();
        let known = enrichment.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        for (name, value) in known.filter(|(name, _)| !self.fields.contains_key(*name)) {
            if !line.ends_with('{') {
                line.push(',');
            }
            line.push_str(&json!(name).to_string());
            line.push(':');
            line.push_str(&json!(value).to_string());
        }
        line.push_str("}\n");
    }
}

/// Copies JSON without the white space outside of its strings.
fn compact(out: &mut String, json: &str) {
    let (mut in_string, mut is_escaped) = (false, false);
    out.extend(json.chars().filter(|&character| {
        if in_string {
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            return true;
        }
        in_string = character == '"';
        !character.is_ascii_whitespace()
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: &str, enrichment: &Enrichment<'_>) -> String {
        let mut lines = String::new();
        for object in objects(body.as_bytes()).unwrap() {
            object.write(&mut lines, enrichment);
        }
        lines
    }

    #[test]
    fn a_line_loses_white_space_and_nothing_else() {
        for (body, line) in [
            (r#"{ "b" : 1 , "a" : [ 1, 2 ] }"#, r#"{"b":1,"a":[1,2]}"#),
            (
                "{\"text\":\" two  words \\\" { , \\\\\" , \"n\": null}",
                "{\"text\":\" two  words \\\" { , \\\\\",\"n\":null}",
            ),
            (
                r#"{"n": 12345678901234567890.123, "e": 1E400, "z": 1.0, "m": -0}"#,
                r#"{"n":12345678901234567890.123,"e":1E400,"z":1.0,"m":-0}"#,
            ),
            (r#"{"a":1,"a":2,"\u00e9":"\ud83d\ude00"}"#, r#"{"a":1,"a":2,"\u00e9":"\ud83d\ude00"}"#),
            ("{\n  \"name\": \"이름\"\n}", "{\"name\":\"이름\"}"),
            ("{ }", "{}"),
        ] {
            assert_eq!(written(body, &[]), format!("{line}\n"));
        }
    }

    #[test]
    fn a_body_is_any_number_of_objects() {
        assert_eq!(written("", &[]), "");
        assert_eq!(written("\u{feff} \r\n\t\n", &[]), "");
        assert_eq!(written("\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}\n", &[]), "{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(written("{\"a\":1}{\"b\":2}", &[]), "{\"a\":1}\n{\"b\":2}\n");
    }

    #[test]
    fn fields_are_added_unless_they_are_there() {
        let enrichment = [("source", Some("clicks \"1\"")), ("ingested_at", Some("now"))];
        assert_eq!(written("{}", &enrichment), "{\"source\":\"clicks \\\"1\\\"\",\"ingested_at\":\"now\"}\n");
        assert_eq!(written("{}", &[("source", None)]), "{}\n");
        assert_eq!(written("{\"source\":null}", &enrichment), "{\"source\":null,\"ingested_at\":\"now\"}\n");
        assert_eq!(written(r#"{"s\u006furce":"web"}"#, &enrichment[..1]), "{\"s\\u006furce\":\"web\"}\n");
        assert_eq!(
            written("{\"a\":{\"source\":1}}", &enrichment[..1]),
            "{\"a\":{\"source\":1},\"source\":\"clicks \\\"1\\\"\"}\n"
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place_and_none_of_its_text() {
        for (body, problem) in [
            (&b"{\"a\":1}\n{\"secret\":"[..], "not JSON: EOF while parsing a value at line 2 column 10"),
            (b"{\"a\":1}\nsecret", "not JSON: expected value at line 2 column 1"),
            (b"{\"a\":1}\n[2]", "value 2 is a list, not an object"),
            (b"\"secret\"", "value 1 is a string, not an object"),
            (b"true", "value 1 is a boolean, not an object"),
            (b"null", "value 1 is null, not an object"),
            (br#"{"\ud800":1}"#, "not JSON: unexpected end of hex escape at line 1 column 9"),
            (b"7", "value 1 is a number, not an object"),
            (b"{\"a\":\"\xff\"}", "not UTF-8 from byte 6 on"),
        ] {
            assert_eq!(objects(body).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn nesting_of_any_depth_is_copied_without_a_stack_overflow() {
        let body = format!("{{\"deep\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(written(&body, &[]), format!("{body}\n"));
    }
}
