//! What an alert says: the text of an SMS, and subject and body of a topic's message.
//!
//! Names come from whoever uploads. Characters that would steer a phone, a terminal or a mail (control characters,
//! line breaks, changes of the writing direction) become `?`.

use std::fmt::Write;

use sluicegate::events::{EventKind, ObjectEvent};

use crate::sms::fits_one_sms;

/// Stands where the beginning of a name was cut off. Not `…`, which would halve an SMS.
const CUT: &str = "...";
/// More names than these make no message clearer.
const MAX_LINES: usize = 100;
/// S3's longest key: in the topic's message no real name is cut.
const MAX_KEY_BYTES: usize = 1_024;
/// Bucket and event name, which are shorter in all S3 sends.
const MAX_WORD_BYTES: usize = 255;
/// SNS takes subjects of less than 100 characters.
const MAX_SUBJECT_CHARS: usize = 99;

/// The text of the SMS about these objects. It fits one SMS.
///
/// One object is named by bucket, key and size; of several the number is said, and as many file names as there is room
/// for. A name that is too long loses its beginning, because its end says what the file is.
#[must_use]
pub fn sms(objects: &[&ObjectEvent]) -> String {
    let head = head(objects);
    if let [object] = objects {
        let name = format!("{}/{}", printable(&object.bucket), printable(&object.key));
        let size = object.size_bytes.map(|bytes| format!(" ({})", human_size(bytes)));
        let size = size.unwrap_or_default();
        let name = ending(&name, |name| fits_one_sms(&format!("{head}: {name}{size}")));
        return format!("{head}: {name}{size}");
    }
    let mut names = Vec::new();
    let mut text = head.clone();
    for object in objects {
        names.push(printable(file_name(&object.key)));
        let longer = list(&head, &names, objects.len());
        if !fits_one_sms(&longer) {
            break;
        }
        text = longer;
    }
    match names.as_slice() {
        [first] => {
            let one = |name: &str| list(&head, &[name.to_owned()], objects.len());
            one(&ending(first, |name| fits_one_sms(&one(name))))
        }
        _ => text,
    }
}

/// The subject of the topic's message, which e-mail shows: ASCII on one line, less than 100 characters
/// ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)). It names the bucket, not the objects.
#[must_use]
pub fn subject(objects: &[&ObjectEvent]) -> String {
    let mut buckets: Vec<&str> = objects.iter().map(|object| object.bucket.as_str()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let place = match buckets.as_slice() {
        [bucket] => (*bucket).to_owned(),
        _ => format!("{} buckets", buckets.len()),
    };
    format!("{} in {place}", head(objects))
        .chars()
        .map(|character| if matches!(character, ' '..='~') { character } else { '?' })
        .take(MAX_SUBJECT_CHARS)
        .collect()
}

/// The body of the topic's message: a line an object, at most 100, and how many were left out. It stays below SNS's
/// 256 KiB.
#[must_use]
pub fn message(objects: &[&ObjectEvent]) -> String {
    let mut text = format!("{}\n\n", head(objects));
    for object in objects.iter().take(MAX_LINES) {
        text.push_str(&line(object));
        text.push('\n');
    }
    if objects.len() > MAX_LINES {
        let _ = writeln!(text, "and {} more", objects.len() - MAX_LINES);
    }
    text
}

fn line(object: &ObjectEvent) -> String {
    let bucket = bounded(&object.bucket, MAX_WORD_BYTES);
    let key = bounded(&object.key, MAX_KEY_BYTES);
    let name = bounded(object.name.as_str(), MAX_WORD_BYTES);
    let mut line = format!("- s3://{bucket}/{key}");
    if let Some(bytes) = object.size_bytes {
        let _ = write!(line, ", {bytes} bytes");
    }
    let _ = write!(line, ", {name}, by route {}", object.route);
    line
}

/// `Object created`, `3 objects removed`, `2 object events`.
fn head(objects: &[&ObjectEvent]) -> String {
    let all = |kind| objects.iter().all(|object| object.kind() == kind);
    let verb = if all(EventKind::ObjectCreated) {
        Some("created")
    } else if all(EventKind::ObjectRemoved) {
        Some("removed")
    } else {
        None
    };
    match (objects.len(), verb) {
        (1, verb) => format!("Object {}", verb.unwrap_or("event")),
        (number, Some(verb)) => format!("{number} objects {verb}"),
        (number, None) => format!("{number} object events"),
    }
}

/// `3 objects created: a.jpg, b.jpg and 1 more`.
fn list(head: &str, names: &[String], objects: usize) -> String {
    let mut text = format!("{head}: {}", names.join(", "));
    if objects > names.len() {
        let _ = write!(text, " and {} more", objects - names.len());
    }
    text
}

/// The last part of a key; a folder marker's name keeps its slash.
fn file_name(key: &str) -> &str {
    let start = key.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    &key[start..]
}

fn bounded(name: &str, max_bytes: usize) -> String {
    ending(&printable(name), |name| name.len() <= max_bytes)
}

/// The text as it is when it fits, else its longest end that fits with [`CUT`] before it. Characters stay whole.
fn ending(text: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(text) {
        return text.to_owned();
    }
    // Nothing here has room for more characters than a key has bytes.
    let starts: Vec<usize> = text.char_indices().rev().take(MAX_KEY_BYTES).map(|(start, _)| start).collect();
    starts
        .into_iter()
        .rev()
        .map(|start| format!("{CUT}{}", &text[start..]))
        .find(|end| fits(end))
        .unwrap_or_else(|| CUT.to_owned())
}

fn printable(name: &str) -> String {
    name.chars().map(|character| if steers(character) { '?' } else { character }).collect()
}

/// Control characters, and the invisible ones that break a line or turn the writing direction round.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// Decimal units, as S3's console shows them: `12.3 MB`.
fn human_size(bytes: u64) -> String {
    for (unit, size) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)] {
        if bytes >= size {
            let tenths = bytes / (size / 10);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests;
