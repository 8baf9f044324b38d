//! What one invocation of a handler did, as text.

use std::{
    fmt, io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use sluicegate::{
    runtime::{Invocation, InvocationError},
    telemetry::{self, LogConfig},
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

/// What one invocation did.
pub(crate) struct Outcome {
    /// What was answered, as JSON, or the error's text.
    pub(crate) answer: Result<String, String>,
    /// What was called.
    pub(crate) calls: Vec<String>,
    /// What was logged, without durations, and as of a process that is warm.
    pub(crate) log: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Ok(answer) => writeln!(f, "answer\n{answer}")?,
            Err(error) => writeln!(f, "error\n{error}")?,
        }
        writeln!(f, "\ncalls")?;
        for call in &self.calls {
            writeln!(f, "{call}")?;
        }
        write!(f, "\nlog\n{}", self.log)
    }
}

/// Runs a handler as the runtime loop does: on a paused clock, inside the invocation's span, with its log captured.
///
/// Gives its answer, the calls it made and its log lines, without their durations and as of a process that is warm.
pub(crate) fn observe<Answer: Serialize>(
    function: &str,
    calls: &Calls,
    handler: impl AsyncFnOnce(&Invocation) -> Result<Answer, InvocationError>,
) -> Outcome {
    let log = Log::default();
    let name = |name: &str| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| function.to_owned());
    let layer = telemetry::layer(LogConfig::from_lookup(name).unwrap(), now, log.clone());
    let invocation = Invocation { request_id: "request-1".to_owned(), remaining: Some(REMAINING) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let answer = tracing::subscriber::with_default(Registry::default().with(layer), || {
        let span = tracing::error_span!("invocation", requestId = invocation.request_id.as_str());
        runtime.block_on(handler(&invocation).instrument(span))
    });
    let answer = answer.map(|answer| serde_json::to_string_pretty(&answer).unwrap()).map_err(|error| error.to_string());
    Outcome { answer, calls: calls.all(), log: normal(&log.text()) }
}

/// Durations say how fast the machine is and `cold_start` that each event had a process of its own, not what the function
/// did.
fn normal(log: &str) -> String {
    const FIELD: &str = r#""duration_ms":"#;
    let log = log.replace(r#","cold_start":true"#, "");
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
