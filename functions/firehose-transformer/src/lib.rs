//! Cleans up the records of a Firehose stream on their way to the bucket.
//!
//! A record holds one JSON object or several lines of them. What is delivered is lines: one object each, without white
//! space around or inside, with the fields `ingested_at` (when the stream took the record: RFC 3339, UTC, milliseconds) and
//! `source` (the Kinesis data stream's name, or with direct put the delivery stream's) where they are not there already.
//! What the event does not say is not added. Everything else stays as it is written: the order of fields, nulls, and every digit of a number. Lines that `DROP_WHEN`
//! names are left out.
//!
//! Firehose takes one answer a record. One line that is no JSON object fails the whole record, which Firehose keeps under
//! its error prefix as it was put; a record of which no line is left is dropped. It calls no AWS service.

mod drop_rule;
mod line;

use sluicegate::{
    delivery::{RecordError, Transformed},
    events::{FirehoseRecord, Foreign},
};

pub use self::drop_rule::{DropRule, DropRuleError};

/// What is delivered in a record's place.
pub fn cleaned(
    drop_rule: &DropRule,
    source: Option<&str>,
    record: &FirehoseRecord<'_>,
) -> Result<Transformed, RecordError> {
    if Foreign::is_gzip(&record.body) {
        return Err(RecordError::reject(Foreign::Gzip));
    }
    let objects = line::objects(&record.body).map_err(RecordError::reject)?;
    let ingested_at = record.arrived_at.map(|time| time.format("%FT%T%.3fZ").to_string());
    let enrichment = [("ingested_at", ingested_at.as_deref()), ("source", source)];
    let mut lines = String::with_capacity(record.body.len() + objects.len() * 64);
    for object in objects.into_iter().filter(|object| !drop_rule.drops(object)) {
        object.write(&mut lines, &enrichment);
    }
    Ok(if lines.is_empty() { Transformed::Dropped } else { Transformed::Body(lines.into_bytes()) })
}

#[cfg(test)]
mod tests;
