//! One event as one line of text.

use std::{
    fmt::{self, Write as _},
    time::SystemTime,
};

use chrono::{DateTime, SecondsFormat, Utc};
use tracing::{
    Event,
    field::{Field, Visit},
};

use super::level::{FATAL, LogFormat};

/// What stands before an event's own fields.
pub(crate) struct Head<'a> {
    pub(crate) now: SystemTime,
    pub(crate) function: &'a str,
    pub(crate) request_id: Option<&'a str>,
}

/// Writes the event with its newline. Control characters in any value are escaped in both formats: an object's name
/// cannot forge a line.
pub(crate) fn write_line(line: &mut String, format: LogFormat, head: &Head<'_>, event: &Event<'_>) {
    let metadata = event.metadata();
    let level = if metadata.target() == FATAL { "FATAL" } else { metadata.level().as_str() };
    let timestamp = DateTime::<Utc>::from(head.now).to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut message = Message::default();
    event.record(&mut message);
    match format {
        LogFormat::Json => {
            let _ = write!(line, r#"{{"timestamp":"{timestamp}","level":"{level}","message":{}"#, quoted(&message.0));
            for (name, value) in [("requestId", head.request_id), ("function", Some(head.function))] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    let _ = write!(line, r#","{name}":{}"#, quoted(value));
                }
            }
            event.record(&mut Fields { line, format });
            line.push_str("}\n");
        }
        LogFormat::Text => {
            let _ = write!(line, "{timestamp} {level:5} {}", message.0.escape_debug());
            if let Some(request_id) = head.request_id {
                let _ = write!(line, " requestId={}", request_id.escape_debug());
            }
            event.record(&mut Fields { line, format });
            line.push('\n');
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Picks the sentence out of an event's fields.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Writes every field but the sentence.
struct Fields<'l> {
    line: &'l mut String,
    format: LogFormat,
}

impl Fields<'_> {
    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        let _ = match self.format {
            LogFormat::Json => write!(self.line, r#","{}":{value}"#, field.name()),
            LogFormat::Text => write!(self.line, " {}={value}", field.name()),
        };
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
        if field.name() == "message" {
            return;
        }
        match self.format {
            LogFormat::Json => self.bare(field, quoted(value)),
            LogFormat::Text => self.bare(field, format_args!("{value:?}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}
