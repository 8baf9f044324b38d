//! Metrics: one line an invocation, which `CloudWatch` reads them out of.
//!
//! The line is in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! no call is made and nothing is waited for. It is a log line as well, with the sentence `metrics`.

use std::{
    fmt::{self, Display, Write},
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tracing::{
    Event, Level,
    field::{Field, Visit},
};

use super::{escape::Escaped, line::Head};
use crate::delivery::{Delivery, Fate, Outcome, Report};

/// Events of this target are metrics.
pub(crate) const METRICS: &str = "sluicegate::metrics";

/// Values a metric takes in one line.
const MAX_VALUES: usize = 100;
/// Longest value of a dimension: CloudWatch takes 1,024, nothing here is named longer than this.
const MAX_DIMENSION_BYTES: usize = 255;

/// What an invocation measured, under the dimensions `function` and, where it is told, one more.
///
/// Each name with each value of its dimensions is a metric that is paid for by the month. So the names are the code's,
/// there is one set of dimensions, and a count of zero is left out.
///
/// ```
/// # use sluicegate::telemetry::Metrics;
/// Metrics::of("queue", "jobs").count("Records", 10).count("RecordsMalformed", 0).emit();
/// ```
#[derive(Debug, Default)]
#[must_use = "metrics are written by `emit`"]
pub struct Metrics {
    dimension: Option<(&'static str, String)>,
    counts: Vec<(&'static str, u64)>,
    /// In milliseconds.
    durations: Vec<(&'static str, Vec<f64>)>,
}

impl Metrics {
    /// Under the function's name alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Under the function's name and one thing more. `value` must be one of few: a queue's name, never a message's id.
    /// A value that `CloudWatch` would not take is left out.
    pub fn of(dimension: &'static str, value: &str) -> Self {
        let is_value = (1..=MAX_DIMENSION_BYTES).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_graphic())
            && !value.starts_with(':');
        Self { dimension: is_value.then(|| (dimension, value.to_owned())), ..Self::default() }
    }

    /// What became of a queue's batch that arrived at `arrived_at`.
    pub fn of_report(report: &Report, arrived_at: SystemTime) -> Self {
        let records = || report.deliveries.iter().filter_map(|delivery| delivery.record.as_ref().ok());
        let readable = || report.deliveries.iter().filter(|delivery| delivery.record.is_ok());
        let ran = readable().filter(|delivery| !delivery.duration.is_zero());
        let metrics = Self::of("queue", report.queue.name())
            .batch(report.size())
            .count("RecordsMalformed", report.size() - records().count() + report.unnamed)
            .count("RecordsNotDeleted", report.ids(Delivery::is_not_deleted).len())
            .durations("HandlerDuration", ran.map(|delivery| delivery.duration))
            .ages(records().filter_map(|record| record.sent_at).map(SystemTime::from), arrived_at);
        readable().fold(metrics, |metrics, delivery| metrics.fate(&delivery.fate))
    }

    /// A batch of so many records, readable or not.
    pub fn batch(self, records: usize) -> Self {
        self.count("Records", records).count("BatchSize", records)
    }

    /// Adds to a count.
    pub fn count(mut self, name: &'static str, number: usize) -> Self {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        match self.counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count = count.saturating_add(number),
            None if number > 0 => self.counts.push((name, number)),
            None => {}
        }
        self
    }

    /// Adds values to a metric of durations.
    pub fn durations(mut self, name: &'static str, values: impl IntoIterator<Item = Duration>) -> Self {
        let values = values.into_iter().map(milliseconds);
        match self.durations.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(values),
            None => self.durations.push((name, values.collect())),
        }
        self
    }

    /// How old messages are at `now`, by when they were sent.
    pub fn ages(self, sent: impl IntoIterator<Item = SystemTime>, now: SystemTime) -> Self {
        // A clock that is behind the sender's finds a message of the future: as new as can be.
        self.durations("MessageAge", sent.into_iter().map(|sent| now.duration_since(sent).unwrap_or_default()))
    }

    /// The fates of records: failures by kind, duplicates, and how long handlers ran.
    pub fn outcomes(self, outcomes: &[Outcome]) -> Self {
        let ran = outcomes.iter().filter(|outcome| !matches!(outcome.fate, Fate::NotStarted | Fate::Blocked));
        let metrics = self.durations("HandlerDuration", ran.map(|outcome| outcome.duration));
        outcomes.iter().fold(metrics, |metrics, outcome| metrics.fate(&outcome.fate))
    }

    fn fate(self, fate: &Fate) -> Self {
        match name_of(fate) {
            Some(name) => self.count(name, 1),
            None => self,
        }
    }

    /// Writes them with the invocation's lines, unless metrics are switched off. Once an invocation.
    pub fn emit(self) {
        tracing::event!(target: METRICS, Level::ERROR, directive = %Directive(&self), members = %Members(&self));
    }
}

/// Names are bounded by what can become of a record.
fn name_of(fate: &Fate) -> Option<&'static str> {
    match fate {
        Fate::Done => None,
        Fate::Duplicate => Some("Duplicates"),
        Fate::Retry(_) => Some("RecordsRetried"),
        Fate::Rejected(_) => Some("RecordsRejected"),
        Fate::GivenUp(_) => Some("RecordsGivenUp"),
        Fate::Waiting(_) => Some("RecordsWaiting"),
        Fate::OutOfTime => Some("RecordsOutOfTime"),
        Fate::NotStarted => Some("RecordsNotStarted"),
        Fate::Blocked => Some("RecordsBlocked"),
        Fate::Abandoned => Some("RecordsAbandoned"),
    }
}

/// With microseconds: a handler that logs takes less than one millisecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The part of `_aws` that says which of the line's members are metrics.
struct Directive<'m>(&'m Metrics);

impl Display for Directive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Metrics { dimension, counts, durations } = self.0;
        f.write_str(r#""Dimensions":[["function""#)?;
        if let Some((name, _)) = dimension {
            write!(f, r#","{name}""#)?;
        }
        f.write_str(r#"]],"Metrics":["#)?;
        let counts = counts.iter().map(|(name, _)| (name, "Count"));
        let durations = durations.iter().filter(|(_, values)| !values.is_empty());
        let durations = durations.map(|(name, _)| (name, "Milliseconds"));
        for (place, (name, unit)) in counts.chain(durations).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, r#"{comma}{{"Name":"{name}","Unit":"{unit}"}}"#)?;
        }
        f.write_char(']')
    }
}

/// The line's members beside the contract's: each begins with its comma.
struct Members<'m>(&'m Metrics);

impl Display for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Metrics { dimension, counts, durations } = self.0;
        if let Some((name, value)) = dimension {
            let mut escaped = String::new();
            Escaped(&mut escaped).write_str(value)?;
            write!(f, r#","{name}":"{escaped}""#)?;
        }
        for (name, count) in counts {
            write!(f, r#","{name}":{count}"#)?;
        }
        for (name, values) in durations.iter().filter(|(_, values)| !values.is_empty()) {
            write!(f, r#","{name}":["#)?;
            for (place, value) in sample(values).enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(f, "{comma}{value}")?;
            }
            f.write_char(']')?;
        }
        Ok(())
    }
}

/// All values, or of more than a hundred a hundred in even steps of their order, the least and the greatest among them:
/// percentiles stay what they are.
fn sample(values: &[f64]) -> impl Iterator<Item = f64> {
    let mut values = values.to_vec();
    if values.len() > MAX_VALUES {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len() - 1;
        values = (0..MAX_VALUES).map(|place| values[place * last / (MAX_VALUES - 1)]).collect();
    }
    values.into_iter()
}

/// Where metrics are filed: `METRICS_NAMESPACE`, or nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Namespace(String);

impl Namespace {
    pub(crate) fn is_off(&self) -> bool {
        self.0 == "off"
    }
}

impl FromStr for Namespace {
    type Err = NoNamespace;

    /// CloudWatch's rule, see
    /// [Namespaces](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace).
    fn from_str(text: &str) -> Result<Self, NoNamespace> {
        let is_namespace = (1..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#: ".contains(&byte))
            && !text.starts_with([':', '/'])
            && !text.starts_with("AWS/");
        if is_namespace { Ok(Self(text.to_owned())) } else { Err(NoNamespace) }
    }
}

#[derive(Debug)]
pub(crate) struct NoNamespace;

impl Display for NoNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1 to 255 letters, digits, blanks and . - _ / # :, and not one of AWS's own; or `off`")
    }
}

/// How a function's metrics are written.
#[derive(Debug, Clone)]
pub(crate) struct MetricsConfig {
    pub(crate) namespace: Namespace,
    /// In JSON format Lambda drops lines below the function's level, and a line without a level is INFO to it: see
    /// [log-level filtering](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
    /// Metrics are wanted at every level, so they carry the least one that is let through.
    pub(crate) level: &'static str,
}

/// Writes an event of [`Metrics::emit`] as a line of the embedded metric format. Without a function's name, outside
/// Lambda, there is nothing to file it under.
pub(crate) fn write_metrics(line: &mut String, config: &MetricsConfig, head: &Head<'_>, event: &Event<'_>) {
    let mut parts = Parts::default();
    event.record(&mut parts);
    if head.function.is_empty() || !parts.directive.contains("\"Name\"") {
        return;
    }
    head.open_json(line, config.level, |line| line.push_str("metrics"));
    let timestamp_ms = head.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let (namespace, Parts { directive, members }) = (&config.namespace.0, parts);
    let _ = writeln!(
        line,
        r#","_aws":{{"Timestamp":{timestamp_ms},"CloudWatchMetrics":[{{"Namespace":"{namespace}",{directive}}}]}}{members}}}"#
    );
}

#[derive(Default)]
struct Parts {
    directive: String,
    members: String,
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let part = match field.name() {
            "directive" => &mut self.directive,
            "members" => &mut self.members,
            _ => return,
        };
        let _ = write!(part, "{value:?}");
    }
}

#[cfg(test)]
mod tests;
