//! Metrics as lines of the embedded metric format. Each is a log line as well, with the sentence `metrics`.

use std::{
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    namespace::Namespace,
    unit::Unit,
    values::{FUNCTION, Metric, Metrics},
};
use crate::telemetry::{escape::Escaped, line::Head};

/// Metrics of one line.
const MAX_NAMES: usize = 100;
/// Values of one metric in one line.
const MAX_VALUES: usize = 100;

/// A metric's share of a line.
type Member<'m> = (&'static str, Unit, &'m [f64]);

impl Metrics {
    /// Writes as many lines as they need. Without a function's name, outside Lambda, there is nothing to file them under.
    pub(crate) fn write(&self, lines: &mut String, namespace: &Namespace, head: &Head<'_>) {
        if head.function.is_empty() {
            return;
        }
        for round in 0.. {
            let member = |metric| share(metric, round);
            // Counts fit on a screen: they stand before what may not.
            let (counts, others) = (self.metrics.iter()).partition::<Vec<_>, _>(|metric| metric.unit == Unit::Count);
            let members: Vec<Member<'_>> = counts.into_iter().chain(others).filter_map(member).collect();
            if members.is_empty() {
                return;
            }
            for members in members.chunks(MAX_NAMES) {
                self.write_line(lines, namespace, head, members);
            }
        }
    }

    fn write_line(&self, line: &mut String, namespace: &Namespace, head: &Head<'_>, members: &[Member<'_>]) {
        head.open_json(line, |line| line.push_str("metrics"));
        let _ = write!(
            line,
            r#","_aws":{{"Timestamp":{},"CloudWatchMetrics":[{{"Namespace":"{}","Dimensions":[["{FUNCTION}""#,
            milliseconds_since_1970(head.now),
            namespace.as_str(),
        );
        if let Some((name, _)) = &self.dimension {
            line.push(',');
            push_text(line, name);
        }
        line.push_str(r#"]],"Metrics":["#);
        for (place, (name, unit, _)) in members.iter().enumerate() {
            line.push_str(if place == 0 { r#"{"Name":"# } else { r#",{"Name":"# });
            push_text(line, name);
            let _ = write!(line, r#","Unit":"{}"}}"#, unit.name());
        }
        line.push_str("]}]}");
        if let Some((name, value)) = &self.dimension {
            push_name(line, name);
            push_text(line, value);
        }
        for (name, unit, values) in members {
            push_name(line, name);
            if let (Unit::Count, [count]) = (unit, values) {
                let _ = write!(line, "{count}");
            } else {
                push_list(line, values);
            }
        }
        line.push_str("}\n");
    }
}

fn share(metric: &Metric, round: usize) -> Option<Member<'_>> {
    Some((metric.name, metric.unit, metric.values.chunks(MAX_VALUES).nth(round)?))
}

fn milliseconds_since_1970(now: SystemTime) -> u128 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

fn push_name(line: &mut String, name: &str) {
    line.push(',');
    push_text(line, name);
    line.push(':');
}

fn push_text(line: &mut String, text: &str) {
    line.push('"');
    let _ = Escaped(line).write_str(text);
    line.push('"');
}

fn push_list(line: &mut String, values: &[f64]) {
    for (place, value) in values.iter().enumerate() {
        let _ = write!(line, "{}{value}", if place == 0 { '[' } else { ',' });
    }
    line.push(']');
}
