//! What the functions log.

use std::{
    collections::HashSet,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::Value;
use sluicegate::clock::{Clock, SystemClock};

use super::{Stack, wait::eventually};

/// Lines of one invocation are stored together when it ends, and two that end together not always in turn: what was
/// stored within this time is asked for again.
const OVERLAP: Duration = Duration::from_secs(2);

/// One line a function wrote.
#[derive(Debug, Clone)]
pub(crate) struct Line(Value);

impl Line {
    /// Whether this is the line with that message.
    pub(crate) fn says(&self, message: &str) -> bool {
        self.text("message") == message
    }

    /// A field that is text; empty where there is none.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// A field of any kind; null where there is none.
    pub(crate) fn field(&self, field: &str) -> &Value {
        &self.0[field]
    }
}

/// The log of one function.
pub(crate) struct Log<'a> {
    stack: &'a Stack,
    group: String,
    since_ms: u64,
    seen: HashSet<String>,
    lines: Vec<Line>,
}

impl<'a> Log<'a> {
    /// From now on. `function` is the output that names it.
    pub(crate) fn from_now(stack: &'a Stack, function: &str) -> Self {
        let now = SystemClock.now().duration_since(UNIX_EPOCH).unwrap();
        Self { since_ms: u64::try_from(now.as_millis()).unwrap(), ..Self::from_the_start(stack, function) }
    }

    /// From the deployment on.
    pub(crate) fn from_the_start(stack: &'a Stack, function: &str) -> Self {
        let group = format!("/aws/lambda/{}", stack.output(function));
        Self { stack, group, since_ms: 0, seen: HashSet::new(), lines: Vec::new() }
    }

    /// Every line so far. Lines that are no JSON are the platform's own and left out.
    pub(crate) async fn read(&mut self) -> &[Line] {
        loop {
            let events = self.stack.emulator.log_events(&self.group, self.since_ms).await;
            let before = self.seen.len();
            for event in &events {
                if self.seen.insert(format!("{} {}", event["logStreamName"], event["message"])) {
                    let line = event["message"].as_str().and_then(|text| serde_json::from_str(text).ok());
                    self.lines.extend(line.map(Line));
                }
            }
            if self.seen.len() == before {
                return &self.lines;
            }
            let last = events.last().and_then(|event| event["timestamp"].as_u64()).unwrap_or_default();
            let overlap = u64::try_from(OVERLAP.as_millis()).unwrap();
            self.since_ms = self.since_ms.max(last.saturating_sub(overlap));
        }
    }

    /// Waits for a line with this message of which `is_it` holds.
    pub(crate) async fn line(&mut self, message: &str, is_it: impl Fn(&Line) -> bool) -> Line {
        let what = format!("a line {message:?} in {}", self.group);
        eventually(&what, async || {
            let lines = self.read().await;
            let mut same = lines.iter().filter(|line| line.says(message));
            let others = || format!("{} lines, the last {:?}", lines.len(), lines.last());
            same.find(|line| is_it(line)).cloned().ok_or_else(others)
        })
        .await
    }

    /// Waits until as many lines with this message as there are `values` carry them in `field`.
    pub(crate) async fn lines_for<V: AsRef<str>>(&mut self, message: &str, field: &str, values: &[V]) {
        let what = format!("{} lines {message:?} in {}", values.len(), self.group);
        eventually(&what, async || {
            let lines = self.read().await.iter().filter(|line| line.says(message));
            let found: HashSet<&str> = lines.map(|line| line.text(field)).collect();
            let missing: Vec<&str> = values.iter().map(AsRef::as_ref).filter(|value| !found.contains(value)).collect();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("none for {} of them, such as {:?}", missing.len(), missing[0]))
            }
        })
        .await;
    }
}
