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

use super::{
    escape::Escaped,
    level::{FATAL, LogFormat},
};

/// The field that holds an event's sentence.
const SENTENCE: &str = "message";

/// What stands before an event's own fields.
pub(crate) struct Head<'a> {
    pub(crate) now: SystemTime,
    pub(crate) function: &'a str,
    pub(crate) request_id: Option<&'a str>,
}

impl Head<'_> {
    /// Opens a JSON line up to and with `function`; what writes the sentence is given.
    pub(crate) fn open_json(&self, line: &mut String, level: &str, sentence: impl FnOnce(&mut String)) {
        line.push_str(r#"{"timestamp":""#);
        push_timestamp(line, self.now);
        line.push_str(r#"","level":""#);
        line.push_str(level);
        line.push_str(r#"","message":""#);
        sentence(line);
        line.push('"');
        for (name, value) in [("requestId", self.request_id), ("function", Some(self.function))] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let _ = write!(line, r#","{name}":""#);
                let _ = Escaped(line).write_str(value);
                line.push('"');
            }
        }
    }

    fn open_text(&self, line: &mut String, level: &str, sentence: impl FnOnce(&mut String)) {
        push_timestamp(line, self.now);
        let _ = write!(line, " {level:5} ");
        sentence(line);
        if let Some(request_id) = self.request_id {
            line.push_str(" requestId=");
            let _ = Escaped(line).write_str(request_id);
        }
    }
}

/// Writes the event with its newline. Control characters in any value are escaped in both formats: an object's name
/// cannot forge a line.
pub(crate) fn write_line(line: &mut String, format: LogFormat, head: &Head<'_>, event: &Event<'_>) {
    let metadata = event.metadata();
    let level = if metadata.target() == FATAL { "FATAL" } else { metadata.level().as_str() };
    let sentence = |line: &mut String| event.record(&mut Sentence { line });
    match format {
        LogFormat::Json => {
            head.open_json(line, level, sentence);
            event.record(&mut Fields { line, format });
            line.push_str("}\n");
        }
        LogFormat::Text => {
            head.open_text(line, level, sentence);
            event.record(&mut Fields { line, format });
            line.push('\n');
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
fn push_timestamp(line: &mut String, now: SystemTime) {
    let now = DateTime::<Utc>::from(now);
    let (year, month, day) = (now.year(), now.month(), now.day());
    let (hour, minute, second, millisecond) = (now.hour(), now.minute(), now.second(), now.timestamp_subsec_millis());
    let _ = write!(line, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z");
}

/// Picks the sentence out of an event's fields and writes it.
struct Sentence<'l> {
    line: &'l mut String,
}

impl Visit for Sentence<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == SENTENCE {
            let _ = write!(Escaped(self.line), "{value:?}");
        }
    }
}

/// Writes every field but the sentence.
struct Fields<'l> {
    line: &'l mut String,
    format: LogFormat,
}

impl Fields<'_> {
    /// Writes the field up to its value.
    fn name(&mut self, field: &Field) {
        let name = field.name();
        let _ = match self.format {
            LogFormat::Json => write!(self.line, r#","{name}":"#),
            LogFormat::Text => write!(self.line, " {name}="),
        };
    }

    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        let _ = write!(self.line, "{value}");
    }

    fn quoted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == SENTENCE {
            return;
        }
        self.name(field);
        self.line.push('"');
        let _ = Escaped(self.line).write_fmt(value);
        self.line.push('"');
    }
}

impl Visit for Fields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.bare(field, value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.quoted(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }
}
