//! What one invocation of a handler did, as text.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use sluicegate::{
    lambda::{Invocation, InvocationError},
    telemetry::{INVOCATION_SPAN, LineLogger, LogConfig},
};
use tracing::Instrument;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::port::Calls;

/// How long the invocation may take: as the template's functions, and longer than one long poll.
const REMAINING: Duration = Duration::from_secs(50);

/// The time of day of every invocation.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_741_944_500)
}

/// Runs a handler as the runtime loop does: on a paused clock, inside the invocation's span, with its log captured.
///
/// Gives its answer, the calls it made and its log lines, without their durations.
pub(crate) fn capture<Answer: Serialize>(
    function: &str,
    calls: &Calls,
    handler: impl AsyncFnOnce(&Invocation) -> Result<Answer, InvocationError>,
) -> String {
    let log = Log::default();
    let name = |name: &str| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| function.to_owned());
    let logger = LineLogger::new(LogConfig::from_lookup(name).unwrap(), now, log.clone());
    let invocation = Invocation { request_id: "request-1".to_owned(), remaining: Some(REMAINING) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let answer = tracing::subscriber::with_default(Registry::default().with(logger), || {
        let span = tracing::error_span!(INVOCATION_SPAN, requestId = invocation.request_id.as_str());
        runtime.block_on(handler(&invocation).instrument(span))
    });
    report(answer, calls, &log.text())
}

fn report<Answer: Serialize>(answer: Result<Answer, InvocationError>, calls: &Calls, log: &str) -> String {
    let mut report = match answer {
        Ok(answer) => format!("answer\n{}\n", serde_json::to_string_pretty(&answer).unwrap()),
        Err(error) => format!("error\n{error}\n"),
    };
    report.push_str("\ncalls\n");
    for call in calls.all() {
        writeln!(report, "{call}").unwrap();
    }
    report.push_str("\nlog\n");
    report.push_str(&without_durations(log));
    report
}

/// Durations say how fast the machine is, not what the function did.
fn without_durations(log: &str) -> String {
    const FIELD: &str = r#""duration_ms":"#;
    let mut parts = log.split(FIELD);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + FIELD + "…" + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// Takes the log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
