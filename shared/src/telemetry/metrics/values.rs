//! What was measured.

use std::time::{Duration, SystemTime};

use super::unit::Unit;
use crate::telemetry::line::is_taken;

/// Longest value of a dimension: CloudWatch takes 1,024, nothing here is named longer than this.
const MAX_DIMENSION_BYTES: usize = 255;
/// The dimension that every metric has.
pub(super) const FUNCTION: &str = "function";

/// What an invocation measured, under the dimensions `function` and, where it is told, one more.
///
/// Each name with each value of its dimensions is a metric that is paid for by the month. So the names are the code's,
/// there is one set of dimensions, and a count of zero is left out. A name that a log line has already (`message`,
/// `function`, …) or the dimension has is left out too, as is what is no number or beyond 2³⁶⁰, `CloudWatch`'s limit.
///
/// A line takes a hundred names, with a hundred values each: what is more goes into further lines.
///
/// ```
/// use sluicegate::telemetry::{Metrics, Unit};
/// # use std::time::Duration;
///
/// Metrics::of("queue", "jobs")
///     .count("Thumbnails", 10)
///     .durations("Rendering", [Duration::from_millis(12), Duration::from_millis(7)])
///     .values("Size", Unit::Bytes, [48_213.0, 5_120.0])
///     .emit();
/// ```
#[derive(Debug, Default)]
#[must_use = "metrics are written by `emit`"]
pub struct Metrics {
    pub(super) dimension: Option<(&'static str, String)>,
    pub(super) metrics: Vec<Metric>,
}

/// One name, at least one value.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) values: Vec<f64>,
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
            && !value.starts_with(':')
            && !is_taken(dimension);
        Self { dimension: is_value.then(|| (dimension, value.to_owned())), ..Self::default() }
    }

    /// Adds to a count.
    pub fn count(mut self, name: &'static str, number: usize) -> Self {
        if number == 0 {
            return self;
        }
        let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        match self.metrics.iter_mut().find(|known| known.name == name) {
            Some(known) => known.values[0] += number,
            None => return self.values(name, Unit::Count, [number]),
        }
        self
    }

    /// Adds durations to a metric, in milliseconds.
    pub fn durations(self, name: &'static str, values: impl IntoIterator<Item = Duration>) -> Self {
        self.values(name, Unit::Milliseconds, values.into_iter().map(milliseconds))
    }

    /// Adds to `MessageAge` how old messages are at `now`, by when they were sent.
    pub fn ages(self, sent: impl IntoIterator<Item = SystemTime>, now: SystemTime) -> Self {
        // A clock that is behind the sender's finds a message of the future: as new as can be.
        self.durations("MessageAge", sent.into_iter().map(|sent| now.duration_since(sent).unwrap_or_default()))
    }

    /// Adds values to a metric. Its unit is that of the first.
    pub fn values(mut self, name: &'static str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let mut values = values.into_iter().filter(|value| value.abs() <= 2_f64.powi(360)).peekable();
        let is_name = !is_taken(name) && self.dimension.as_ref().is_none_or(|(dimension, _)| *dimension != name);
        if is_name && values.peek().is_some() {
            match self.metrics.iter_mut().find(|known| known.name == name) {
                Some(known) => known.values.extend(values),
                None => self.metrics.push(Metric { name, unit, values: values.collect() }),
            }
        }
        self
    }
}

/// With microseconds: a handler that logs takes less than one millisecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
