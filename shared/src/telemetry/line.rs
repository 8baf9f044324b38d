//! One event as one line of text.

use std::{
    fmt::{self, Write as _},
    time::SystemTime,
};

use chrono::{DateTime, Datelike, Timelike, Utc};
use tracing::{
    Event,
    field::{Field, Visit},
};

use super::{escape::Escaped, setting::LogFormat, span::SpanFields};

/// The field that holds an event's sentence.
const SENTENCE: &str = "message";
/// The field that holds an invocation's id, in its span and in its lines.
pub(crate) const REQUEST_ID: &str = "requestId";
/// Names that a line's beginning has: no field of an event or a span, and no metric, stands under them a second time.
const TAKEN: [&str; 7] = ["timestamp", "level", SENTENCE, REQUEST_ID, "function", "cold_start", "debug"];

/// What stands before an event's own fields.
pub(crate) struct Head<'a> {
    pub(crate) now: SystemTime,
    pub(crate) level: &'a str,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) function: &'a str,
    /// Whether the invocation is the first of its process.
    pub(crate) is_cold: bool,
    /// Whether the line is one of detail under another level's name, see `docs/logging.md`.
    pub(crate) is_debug: bool,
}

impl Head<'_> {
    /// Opens a JSON line up to the event's own fields; what writes the sentence is given.
    pub(crate) fn open_json(&self, line: &mut String, sentence: impl FnOnce(&mut String)) {
        line.push_str(r#"{"timestamp":""#);
        push_timestamp(line, self.now);
        line.push_str(r#"","level":""#);
        line.push_str(self.level);
        line.push_str(r#"","message":""#);
        sentence(line);
        line.push('"');
        for (name, value) in [(REQUEST_ID, self.request_id), ("function", Some(self.function))] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                push_name(line, LogFormat::Json, name);
                line.push('"');
                let _ = Escaped(line).write_str(value);
                line.push('"');
            }
        }
        for (name, _) in [("cold_start", self.is_cold), ("debug", self.is_debug)].iter().filter(|(_, holds)| *holds) {
            push_name(line, LogFormat::Json, name);
            line.push_str("true");
        }
    }

    fn open_text(&self, line: &mut String, sentence: impl FnOnce(&mut String)) {
        push_timestamp(line, self.now);
        let _ = write!(line, " {:5} ", self.level);
        sentence(line);
        if let Some(request_id) = self.request_id {
            line.push_str(" requestId=");
            let _ = Escaped(line).write_str(request_id);
        }
        if self.is_cold {
            line.push_str(" cold_start=true");
        }
    }
}

/// Writes the event with its newline: the head, the fields of the spans around it, its own. Control characters in any
/// value are escaped in both formats: an object's name cannot forge a line.
pub(crate) fn write_line(line: &mut String, format: LogFormat, head: &Head<'_>, spans: &SpanFields, event: &Event<'_>) {
    let sentence = |line: &mut String| {
        event.record(&mut Each(|name, value: Value<'_>| {
            if name == SENTENCE {
                value.push_text(line);
            }
        }));
    };
    match format {
        LogFormat::Json => head.open_json(line, sentence),
        LogFormat::Text => head.open_text(line, sentence),
    }
    let own = event.metadata().fields();
    for (name, value) in spans.iter().filter(|(name, _)| !is_taken(name) && own.field(name).is_none()) {
        push_name(line, format, name);
        line.push_str(value);
    }
    event.record(&mut Each(|name, value: Value<'_>| {
        if !is_taken(name) {
            push_name(line, format, name);
            value.push(line);
        }
    }));
    line.push_str(match format {
        LogFormat::Json => "}\n",
        LogFormat::Text => "\n",
    });
}

/// Whether a line has something of this name already.
pub(crate) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// RFC 3339 in UTC with milliseconds.
fn push_timestamp(line: &mut String, now: SystemTime) {
    let now = DateTime::<Utc>::from(now);
    let year = u32::try_from(now.year()).unwrap_or_default();
    push_digits::<4>(line, year);
    for (mark, number) in
        [('-', now.month()), ('-', now.day()), ('T', now.hour()), (':', now.minute()), (':', now.second())]
    {
        line.push(mark);
        push_digits::<2>(line, number);
    }
    line.push('.');
    push_digits::<3>(line, now.timestamp_subsec_millis());
    line.push('Z');
}

/// The last `N` digits. Without the machinery of `write!`, which costs more than the rest of a line's head.
fn push_digits<const N: usize>(line: &mut String, mut number: u32) {
    let mut digits = ['0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit(number % 10, 10).unwrap_or('0');
        number /= 10;
    }
    line.extend(digits);
}

fn push_name(line: &mut String, format: LogFormat, name: &str) {
    let (before, behind) = match format {
        LogFormat::Json => (",\"", "\":"),
        LogFormat::Text => (" ", "="),
    };
    line.push_str(before);
    line.push_str(name);
    line.push_str(behind);
}

/// A field's value: a number or a truth value, or text.
pub(crate) enum Value<'v> {
    Bare(&'v dyn fmt::Display),
    Text(&'v str),
    Formatted(fmt::Arguments<'v>),
}

impl Value<'_> {
    /// Writes it as it stands in a line of either format.
    pub(crate) fn push(&self, line: &mut String) {
        let quote = if matches!(self, Self::Bare(_)) { "" } else { "\"" };
        line.push_str(quote);
        self.push_text(line);
        line.push_str(quote);
    }

    /// Writes it without quotes.
    fn push_text(&self, line: &mut String) {
        let _ = match self {
            Self::Bare(value) => write!(line, "{value}"),
            Self::Text(text) => Escaped(line).write_str(text),
            Self::Formatted(text) => Escaped(line).write_fmt(*text),
        };
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Formatted(text) => f.write_fmt(*text),
        }
    }
}

/// Hands each field of an event or a span to a function, with its name. What is no number in JSON is left out.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(&'static str, Value<'_>)> Visit for Each<F> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0(field.name(), Value::Bare(&value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0(field.name(), Value::Bare(&value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0(field.name(), Value::Bare(&value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.0(field.name(), Value::Bare(&value));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0(field.name(), Value::Text(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0(field.name(), Value::Formatted(format_args!("{value:?}")));
    }
}
