//! The lenient reader: members of JSON objects by name, each unread until somebody wants it.
//!
//! AWS adds, drops and respells fields, and so do SDKs and emulators. What a record needs is asked for with
//! [`Field::needed`] and refused by name where it is not there. Everything else is asked for with the other methods, which
//! give nothing where the value is of another type, and note the field's name in [`Ignored`].
//!
//! An object is scanned once, whatever is asked of it; a member that nobody asked for is only skipped, so that a number
//! beyond every type, half an emoji or a nesting of any depth in it harms nobody. Of two members with one name the last
//! counts. Objects are asked for as objects: derived structs of serde take JSON lists too, by position.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use memchr::memchr;
use serde_json::value::RawValue;

pub(crate) use self::find::members;
use super::{error::EventError, ignored::Ignored};
use crate::preview::cut;

/// S3's longest key; no name in AWS is longer.
const MAX_IDENTITY_BYTES: usize = 1_024;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// What a text begins as; `None` where it begins as no JSON at all.
    #[must_use]
    pub fn of(json: &str) -> Option<Self> {
        Some(match json.trim_ascii_start().as_bytes().first()? {
            b'n' => Self::Null,
            b't' | b'f' => Self::Boolean,
            b'"' => Self::Text,
            b'[' => Self::List,
            b'{' => Self::Object,
            b'-' | b'0'..=b'9' => Self::Number,
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

/// Why a text could not be read as JSON: what and where, and never what stands there.
///
/// `serde_json`'s own words quote values; these are safe to log, and to send on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonProblem(Box<str>);

impl From<serde_json::Error> for JsonProblem {
    fn from(error: serde_json::Error) -> Self {
        Self(if error.is_data() {
            format!("a value is not what was expected at line {} column {}", error.line(), error.column()).into()
        } else {
            // One of a few fixed sentences.
            error.to_string().into()
        })
    }
}

/// The text without a byte order mark before it.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// One member of an object, unread.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    name: &'static str,
    value: Value<'a>,
}

#[derive(Debug, Clone)]
enum Value<'a> {
    Absent,
    /// The value as it is written.
    Json(&'a str),
    /// Of a list that was asked for as one: its elements as they are written.
    List(Vec<&'a str>),
    /// What stands where a list was asked for.
    NoList(Kind),
}

/// Reads the members with these names from the object `json`; `of` says in errors what the object is.
///
/// A name may be a path, `s3.bucket.name`, through objects only; what is under something else is absent. A name that ends
/// in `[]` is asked for as a list, see [`Field::list`].
///
/// ```
/// # use sluicegate::events::json::fields;
/// let [key, tags] = fields(r#"{"object": {"key": "a.txt"}, "tags": ["x", 1]}"#, "example", ["object.key", "tags[]"])?;
/// assert_eq!(key.needed("example")?, "a.txt");
/// assert_eq!(tags.list("example")?.unwrap(), [r#""x""#, "1"]);
/// # Ok::<_, sluicegate::events::EventError>(())
/// ```
pub fn fields<'a, const N: usize>(
    json: &'a str,
    of: &'static str,
    names: [&'static str; N],
) -> Result<[Field<'a>; N], EventError> {
    is_object(json, of)?;
    let mut found = names.map(Field::absent);
    find::find(json, &mut found).ok_or_else(|| EventError::NotJson { of, problem: problem(json) })?;
    Ok(found)
}

/// What is looked for in an element of a list, or why it is no object.
pub(crate) type Found<'a, const N: usize> = Result<[Field<'a>; N], EventError>;

/// Reads an event with its records in one go: its own members with these names, `Records[]` among them, and of each record
/// those that `record` names. A pipe of EventBridge sends the list alone. `None` where there is no list.
pub(crate) fn records<'a, const N: usize, const M: usize>(
    event: &'a str,
    (of, names): (&'static str, [&'static str; N]),
    (record, wanted): (&'static str, [&'static str; M]),
) -> Result<([Field<'a>; N], Option<Vec<Found<'a, M>>>), EventError> {
    let is_list = Kind::of(event) == Some(Kind::List);
    if !is_list {
        is_object(event, of)?;
    }
    let mut found = names.map(Field::absent);
    let elements = find::find_each(event, &mut found, &wanted.map(Field::absent));
    let mut elements = elements.ok_or_else(|| EventError::NotJson { of, problem: problem(event) })?;
    if let Some(list) = found.iter().find(|field| field.name.ends_with("[]")).filter(|_| !is_list) {
        // Of two members with this name the last counts, be it null.
        if list.kind() == Some(Kind::Null) {
            elements.clear();
        }
        if list.clone().list(of)?.is_none() {
            return Ok((found, None));
        }
    }
    let read = |element: Result<_, Kind>| element.map_err(|found| EventError::NotAnObject { of: record, found });
    Ok((found, Some(elements.into_iter().map(read).collect())))
}

/// The elements of the list `json`, unread.
pub fn elements<'a>(json: &'a str, of: &'static str) -> Result<Vec<&'a str>, EventError> {
    find::elements(json).ok_or_else(|| match serde_json::from_str::<Vec<&RawValue>>(json) {
        Err(error) => EventError::NotJson { of, problem: error.into() },
        Ok(_) => EventError::NotJson { of, problem: problem(json) },
    })
}

/// What `serde_json` says of a text that is no JSON.
fn problem(json: &str) -> JsonProblem {
    match serde_json::from_str::<&RawValue>(json) {
        Err(error) => error.into(),
        Ok(_) => JsonProblem("not JSON".into()),
    }
}

/// Refuses JSON of another kind. What is no JSON at all is refused where it is read.
fn is_object(json: &str, of: &'static str) -> Result<(), EventError> {
    match Kind::of(json) {
        Some(Kind::Object) | None => Ok(()),
        // Only of JSON it is said what it is.
        Some(found) => json_of(json, of).and(Err(EventError::NotAnObject { of, found })),
    }
}

/// The value `json` without the white space around it.
pub(crate) fn json_of<'a>(json: &'a str, of: &'static str) -> Result<&'a str, EventError> {
    let raw: &RawValue =
        serde_json::from_str(json).map_err(|error| EventError::NotJson { of, problem: error.into() })?;
    Ok(raw.get())
}

/// A JSON string's text, borrowed where nothing in it is escaped; `None` for all else, also for a string that no Unicode
/// text can hold: half of a surrogate pair.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    let quoted = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', quoted.as_bytes()).is_none() {
        return Some(quoted.into());
    }
    let text = unescaped(quoted).or_else(|| serde_json::from_str(json).ok());
    text.map(Cow::Owned)
}

/// What is between the quotes of a valid JSON string, without its escapes; `None` where one is by number. Of JSON in JSON,
/// which is what bodies are, this takes a fraction of the time of the general way: an escape every few bytes.
fn unescaped(quoted: &str) -> Option<String> {
    const PROSE: usize = 16;
    let mut text = vec![0; quoted.len()];
    let (mut rest, mut end, mut run) = (quoted.as_bytes(), 0, 0);
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == b'\\' {
            let (&escaped, behind) = rest.split_first()?;
            rest = behind;
            *text.get_mut(end)? = match escaped {
                b'"' | b'\\' | b'/' => escaped,
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                _ => return None,
            };
            (end, run) = (end + 1, 0);
            continue;
        }
        *text.get_mut(end)? = byte;
        (end, run) = (end + 1, run + 1);
        if run == PROSE {
            // Prose: the rest of it at once.
            let (prose, behind) = rest.split_at(memchr(b'\\', rest).unwrap_or(rest.len()));
            text.get_mut(end..end + prose.len())?.copy_from_slice(prose);
            (end, run, rest) = (end + prose.len(), 0, behind);
        }
    }
    text.truncate(end);
    String::from_utf8(text).ok()
}

impl<'a> Field<'a> {
    fn absent(name: &'static str) -> Self {
        Self { name, value: Value::Absent }
    }

    /// The value as it is written; `None` where it is absent or null.
    #[must_use]
    pub fn json(&self) -> Option<&'a str> {
        match self.value {
            Value::Json(json) if json != "null" => Some(json),
            Value::Json(_) | Value::Absent | Value::List(_) | Value::NoList(_) => None,
        }
    }

    /// Whether the object has the member at all, be it null.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !matches!(self.value, Value::Absent)
    }

    /// What the value is; `None` where there is none.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match &self.value {
            Value::Absent => None,
            Value::Json(json) => Kind::of(json),
            Value::List(_) => Some(Kind::List),
            Value::NoList(kind) => Some(*kind),
        }
    }

    /// The text that must be there and not empty.
    pub fn needed(&self, of: &'static str) -> Result<Cow<'a, str>, EventError> {
        let text = self.needed_or_empty(of)?;
        if text.is_empty() { Err(EventError::MissingField { of, field: self.name }) } else { Ok(text) }
    }

    /// The text that must be there, and may be empty.
    pub fn needed_or_empty(&self, of: &'static str) -> Result<Cow<'a, str>, EventError> {
        let field = self.name;
        let json = self.json().ok_or(EventError::MissingField { of, field })?;
        match (text(json), Kind::of(json)) {
            (Some(text), _) => Ok(text),
            (None, Some(Kind::Text)) => Err(EventError::NotUnicode { of, field }),
            (None, found) => {
                Err(EventError::WrongType { of, field, expected: Kind::Text, found: found.unwrap_or(Kind::Null) })
            }
        }
    }

    /// The text, where there is one that is not empty, and nobody asks what stands there instead.
    #[must_use]
    pub fn quiet_text(&self) -> Option<Cow<'a, str>> {
        self.json().and_then(text).filter(|text| !text.is_empty())
    }

    /// The text; nothing where it is absent, null or empty, and nothing and a note where it is something else.
    pub fn text(&self, ignored: &mut Ignored) -> Option<Cow<'a, str>> {
        self.read(ignored, text).filter(|text| !text.is_empty())
    }

    /// What a business names a thing by: a text that is not blank, or a whole number, with every digit.
    pub fn name_or_number(&self, ignored: &mut Ignored) -> Option<Cow<'a, str>> {
        let digits = |json: &'a str| {
            let digits = json.strip_prefix('-').unwrap_or(json);
            let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then_some(Cow::Borrowed(json))
        };
        let name = self.read(ignored, |json| text(json).or_else(|| digits(json)));
        name.filter(|name| !name.trim().is_empty())
    }

    /// The text as it stands in a refusal: cut, and nothing where there is none.
    pub(crate) fn identity(&self) -> Option<String> {
        self.quiet_text().map(|text| cut(&text, MAX_IDENTITY_BYTES).to_owned())
    }

    /// The whole number.
    pub fn integer(&self, ignored: &mut Ignored) -> Option<i64> {
        self.read(ignored, integer)
    }

    /// The whole number, written as one or as a text, as SQS does.
    pub fn digits(&self, ignored: &mut Ignored) -> Option<i64> {
        self.read(ignored, |json| text(json).map_or_else(|| integer(json), |text| text.parse().ok()))
    }

    /// The number.
    pub fn number(&self, ignored: &mut Ignored) -> Option<f64> {
        self.read(ignored, |json| json.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    /// `true` or `false`.
    pub fn boolean(&self, ignored: &mut Ignored) -> Option<bool> {
        self.read(ignored, |json| json.parse().ok())
    }

    /// The time, as RFC 3339 writes it.
    pub fn time(&self, ignored: &mut Ignored) -> Option<DateTime<Utc>> {
        let time = |json| DateTime::parse_from_rfc3339(&text(json)?).ok();
        self.read(ignored, time).map(|time| time.to_utc())
    }

    /// The elements; none where it is null. `None` where the member is absent, an error where it is no list. For a field
    /// whose name ends in `[]`.
    pub fn list(self, of: &'static str) -> Result<Option<Vec<&'a str>>, EventError> {
        match self.value {
            Value::Absent => Ok(None),
            Value::List(elements) => Ok(Some(elements)),
            Value::NoList(Kind::Null) => Ok(Some(Vec::new())),
            Value::NoList(found) => {
                let field = self.name.trim_end_matches("[]");
                Err(EventError::WrongType { of, field, expected: Kind::List, found })
            }
            Value::Json(json) => elements(json, of).map(Some),
        }
    }

    /// Members of the object; all of them absent where it is none.
    pub fn fields<const N: usize>(&self, ignored: &mut Ignored, names: [&'static str; N]) -> [Field<'a>; N] {
        let found = self.read(ignored, |json| fields(json, "", names).ok());
        found.unwrap_or_else(|| names.map(Field::absent))
    }

    /// Members of the object, where it is one and nobody asks what it is instead.
    #[must_use]
    pub fn inside<const N: usize>(&self, names: [&'static str; N]) -> Option<[Field<'a>; N]> {
        fields(self.json()?, "", names).ok()
    }

    /// Every member of the object, by name; none where it is no object.
    pub fn members(&self, ignored: &mut Ignored) -> Vec<(Cow<'a, str>, &'a str)> {
        self.read(ignored, members).unwrap_or_default()
    }

    fn read<T>(&self, ignored: &mut Ignored, read: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let value = read(self.json()?);
        if value.is_none() {
            ignored.add(self.name);
        }
        value
    }
}

/// `1784523967089.0` is a whole number too.
fn integer(json: &str) -> Option<i64> {
    if let Ok(integer) = json.parse() {
        return Some(integer);
    }
    let number: f64 = json.parse().ok().filter(|number: &f64| number.fract() == 0.0 && number.abs() < 9e15)?;
    format!("{number:.0}").parse().ok()
}

mod find;
mod scan;

#[cfg(test)]
mod tests;
