//! The runtime loop: a handler of whole events, and what is logged of an invocation that fails.

use std::{borrow::Cow, error::Error, fmt, process::ExitCode, time::Duration};

use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tracing::Instrument;

use crate::{
    clock::{Clock, SystemClock},
    error_chain::error_chain,
    settings::{SettingsError, environment},
    telemetry,
};

/// What an invocation knows of itself.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Names the invocation in every log line.
    pub request_id: String,
    /// Time left when the event arrived. `None` when the deadline is unknown: `cargo lambda watch` sends one of 1970.
    pub remaining: Option<Duration>,
}

/// A failed invocation. Lambda counts it, and for asynchronous events and queues delivers the event again.
#[derive(Debug)]
pub struct InvocationError {
    kind: &'static str,
    message: Cow<'static, str>,
}

impl InvocationError {
    /// `kind` is a short stable name, which Lambda reports as `errorType`; the message is for people.
    pub fn new(kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// An error with everything that caused it.
    pub fn because(kind: &'static str, error: &dyn Error) -> Self {
        Self::new(kind, error_chain(error))
    }
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Error for InvocationError {}

impl From<crate::events::EventError> for InvocationError {
    fn from(error: crate::events::EventError) -> Self {
        Self::because("UnreadableEvent", &error)
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: error.kind.to_owned(), error_message: error.message.into_owned() }
    }
}

/// Runs a function: sets logging up, builds the handler's state once, and answers events until Lambda ends the process.
///
/// `build` gets the environment as a lookup function; when it fails, every wrong setting is in one FATAL line and the
/// process exits with 1, which Lambda reports as a failed start. The handler gets each event as JSON text, unread: the
/// crate parses it once, record by record.
///
/// ```no_run
/// # use sluicegate::{lambda::{self, Invocation, InvocationError}, settings::SettingsError};
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> std::process::ExitCode {
///     lambda::run(
///         |lookup| Ok::<_, SettingsError>(lookup("GREETING").unwrap_or_default()),
///         async |greeting: &String, event: &str, _: &Invocation| {
///             tracing::info!(event.bytes = event.len(), greeting, "event received");
///             Ok::<(), InvocationError>(())
///         },
///     )
///     .await
/// }
/// ```
pub async fn run<State, Answer>(
    build: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<State, SettingsError>,
    handler: impl AsyncFn(&State, &str, &Invocation) -> Result<Answer, InvocationError>,
) -> ExitCode
where
    Answer: Serialize,
{
    keep_memory();
    let state = match start(build) {
        Ok(state) => state,
        Err(error) => {
            telemetry::log_fatal(error.as_ref());
            return ExitCode::FAILURE;
        }
    };
    let (state, handler) = (&state, &handler);
    let service = service_fn(async move |event: LambdaEvent<Payload>| {
        let invocation = Invocation {
            request_id: event.context.request_id.clone(),
            remaining: event.context.deadline().duration_since(SystemClock.now()).ok(),
        };
        // Before the answer leaves, the lines do: Lambda may freeze the process as soon as it has the answer.
        telemetry::gather(answer(state, handler, &event.payload, &invocation)).await
    });
    let runtime = Runtime::new(service).layer(tower::layer::layer_fn(|inner| InvocationSpan { inner }));
    match runtime.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::log_fatal(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// More than any event: 6 MB, in a few copies.
const LARGEST_BLOCK: usize = 16 * 1024 * 1024;

/// Keeps the memory of one event for the next. glibc gives what is free at the end of the heap back to the system where it
/// is more than twice the largest block ever freed, and takes it again page by page: 270 page faults for each event of
/// 650 KB. So a large block is freed once, untouched: see `M_MMAP_THRESHOLD` in
/// [mallopt(3)](https://man7.org/linux/man-pages/man3/mallopt.3.html). Lambda bills the memory that is configured, not used.
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST_BLOCK)));
}

/// Sets logging up and builds the handler's state.
fn start<State>(
    build: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<State, SettingsError>,
) -> Result<State, Box<dyn Error>> {
    telemetry::init(environment).inspect_err(|_| {
        // Logging itself is configured wrongly: log as if nothing were configured.
        let _ = telemetry::init(|_| None);
    })?;
    if environment("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(NotInLambda.into());
    }
    Ok(build(&environment)?)
}

/// One invocation: the handler's answer, and a line where it has none.
async fn answer<State, Answer>(
    state: &State,
    handler: &impl AsyncFn(&State, &str, &Invocation) -> Result<Answer, InvocationError>,
    payload: &Payload,
    invocation: &Invocation,
) -> Result<Answer, InvocationError> {
    // On the heap: with the SDK's futures inside, the type of the whole would pass the compiler's depth limit.
    let outcome = match &payload.0 {
        Ok(json) => Box::pin(handler(state, json.get(), invocation)).await,
        Err(problem) => Err(InvocationError::new("UnreadableEvent", format!("the event is not JSON: {problem}"))),
    };
    if let Err(error) = &outcome {
        telemetry::log_failure(error.kind, &error.message);
    }
    outcome
}

/// An event as JSON text, unread. What is no JSON is kept as well: left to the runtime, it would be logged and answered
/// in the runtime's words.
struct Payload(Result<Box<RawValue>, String>);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::deserialize(deserializer).map_err(|error| error.to_string())))
    }
}

/// Said to whoever starts a function's binary by hand.
#[derive(Debug)]
struct NotInLambda;

impl fmt::Display for NotInLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "AWS_LAMBDA_RUNTIME_API is not set: this binary answers Lambda's Runtime API; \
             try `make invoke FUNCTION=… EVENT=events/….json` instead",
        )
    }
}

impl Error for NotInLambda {}

/// Puts each invocation in the span that gives its log lines their request id.
struct InvocationSpan<S> {
    inner: S,
}

impl<S: tower::Service<LambdaInvocation>> tower::Service<LambdaInvocation> for InvocationSpan<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = tracing::instrument::Instrumented<S::Future>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        // At ERROR, so that no configured level drops it and the request id with it.
        let span = tracing::error_span!("invocation", requestId = invocation.context.request_id.as_str());
        let _entered = span.clone().entered();
        self.inner.call(invocation).instrument(span)
    }
}
