//! The runtime loop: a handler of whole events, and what is logged of an invocation that fails.

use std::{
    borrow::Cow, cell::Cell, error::Error, fmt, mem, panic::AssertUnwindSafe, process::ExitCode, time::Duration,
};

use futures::{FutureExt, StreamExt, stream};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower};
use serde::{Serialize, de::IgnoredAny};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::{mpsc, oneshot},
    task::futures::TaskLocalFuture,
};
use tracing::{Instrument, Span};

use crate::{
    clock::{Clock, SystemClock},
    delivery::RecordError,
    error_chain::error_chain,
    settings::{Settings, SettingsError, environment},
    telemetry,
};

mod init_error;

/// Where Lambda is asked for events; Lambda sets it.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// How many events Lambda wants to give a process at the same time. Set by Lambda Managed Instances: a function that is
/// run one event at a time would leave the rest waiting, unsaid.
pub(crate) const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// What an invocation knows of itself.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Names the invocation in every log line.
    pub request_id: String,
    /// Time left when the event arrived. `None` when the deadline is unknown: `cargo lambda watch` sends one of 1970.
    pub remaining: Option<Duration>,
}

impl From<&Context> for Invocation {
    fn from(context: &Context) -> Self {
        let remaining = context.deadline().duration_since(SystemClock.now()).ok();
        Self { request_id: context.request_id.clone(), remaining }
    }
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

    /// What the handlers of single records said, where nobody can be told of one record.
    pub(crate) fn of_records(failed: &[RecordError]) -> Result<(), Self> {
        match failed.first() {
            None => Ok(()),
            Some(first) => Err(Self::new("RecordsFailed", format!("{} failed, the first: {first}", failed.len()))),
        }
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
/// process exits with 1, which Lambda reports as a failed start, with the same words. The handler gets each event as JSON text, unread: the
/// crate parses it once, record by record.
///
/// ```no_run
/// # use sluicegate::{runtime::{self, Invocation, InvocationError}, settings::SettingsError};
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> std::process::ExitCode {
///     runtime::run(
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
    let state = match start(build, AtOnce::One).await {
        Ok(state) => state,
        Err(code) => return code,
    };
    let (state, handler) = (&state, &handler);
    let service = service_fn(async move |event: LambdaEvent<IgnoredAny>| {
        let payload = EVENT.with(Cell::take);
        let invocation = Invocation::from(&event.context);
        logged(answer(state, handler, payload, &invocation)).await
    });
    ended(Runtime::new(service).layer(tower::layer::layer_fn(|inner| InvocationSpan { inner })).run().await)
}

/// As [`run`], for [Lambda Managed Instances](https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html),
/// where Lambda gives a process several events at a time: as many as it says are handled side by side, on one thread, so
/// that neither handler nor state need be `Send`. Elsewhere it is one at a time, as with [`run`].
pub async fn run_concurrent<State, Answer>(
    build: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<State, SettingsError>,
    handler: impl AsyncFn(&State, &str, &Invocation) -> Result<Answer, InvocationError>,
) -> ExitCode
where
    Answer: Serialize,
{
    let state = match start(build, AtOnce::Several).await {
        Ok(state) => state,
        Err(code) => return code,
    };
    // The runtime waits for events on threads' tasks; what it gets is handled here.
    let (to_handler, mut invoked) = mpsc::unbounded_channel::<Invoked>();
    let service = service_fn(move |event: LambdaEvent<IgnoredAny>| {
        let to_handler = to_handler.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let payload = EVENT.with(Cell::take);
            let invocation = Invocation::from(&event.context);
            // It is received as long as there is a runtime.
            let _ = to_handler.send(Invoked { payload, invocation, span: Span::current(), answer });
            let panicked = |_| Err(InvocationError::new("Panicked", "the handler panicked"));
            answered.await.unwrap_or_else(panicked)
        }
    });
    let (state, handler) = (&state, &handler);
    let handling =
        stream::poll_fn(|context| invoked.poll_recv(context)).for_each_concurrent(None, async move |invoked| {
            let Invoked { payload, invocation, span, answer: to_runtime } = invoked;
            let answered = async {
                let answer = answer(state, handler, payload, &invocation).await?;
                to_raw_value(&answer).map_err(|error| InvocationError::because("UnwritableAnswer", &error))
            };
            let answered = AssertUnwindSafe(logged(answered).instrument(span)).catch_unwind().await;
            if let Ok(answered) = answered {
                // Nobody listens where the runtime has ended.
                let _ = to_runtime.send(answered);
            }
        });
    let runtime = Runtime::new(service).layer(tower::layer::layer_fn(|inner| InvocationSpan { inner }));
    tokio::select! {
        biased;
        outcome = runtime.run_concurrent() => ended(outcome),
        () = handling => ExitCode::FAILURE,
    }
}

/// An event on its way from the runtime to the handler, and its answer back.
struct Invoked {
    payload: Vec<u8>,
    invocation: Invocation,
    span: Span,
    answer: oneshot::Sender<Result<Box<RawValue>, InvocationError>>,
}

/// How many events a process takes at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtOnce {
    One,
    Several,
}

fn ended(outcome: Result<(), lambda_runtime::Error>) -> ExitCode {
    match outcome {
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

/// Sets logging up and builds the handler's state. What is in the way is said to the log, and to Lambda.
async fn start<State>(
    build: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<State, SettingsError>,
    at_once: AtOnce,
) -> Result<State, ExitCode> {
    keep_memory();
    let problem = match built(build, at_once) {
        Ok(state) => return Ok(state),
        Err(problem) => problem,
    };
    telemetry::log_fatal(problem.as_ref());
    if environment(RUNTIME_API).is_some() {
        init_error::report(problem.as_ref()).await;
    }
    Err(ExitCode::FAILURE)
}

fn built<State>(
    build: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<State, SettingsError>,
    at_once: AtOnce,
) -> Result<State, Box<dyn Error>> {
    telemetry::init(environment).inspect_err(|_| {
        // Logging itself is configured wrongly: log as if nothing were configured.
        let _ = telemetry::init(|_| None);
    })?;
    if environment(RUNTIME_API).is_none() {
        return Err(NotInLambda.into());
    }
    let mut settings = Settings::new(&environment);
    if settings.or(MAX_CONCURRENCY, 1_u32) > 1 && at_once == AtOnce::One {
        settings.refuse(format!(
            "{MAX_CONCURRENCY} is more than 1: a process of this function takes one event at a time; \
             `run_concurrent` in the place of `run` takes several"
        ));
    }
    settings.finish(())?;
    Ok(build(&environment)?)
}

/// One invocation's answer.
async fn answer<State, Answer>(
    state: &State,
    handler: &impl AsyncFn(&State, &str, &Invocation) -> Result<Answer, InvocationError>,
    payload: Vec<u8>,
    invocation: &Invocation,
) -> Result<Answer, InvocationError> {
    // On the heap: with the SDK's futures inside, the type of the whole would pass the compiler's depth limit.
    match String::from_utf8(payload) {
        Ok(event) => Box::pin(handler(state, &event, invocation)).await,
        Err(_) => Err(InvocationError::new("UnreadableEvent", "the event is not JSON: it is not UTF-8")),
    }
}

/// With a line where there is no answer. Before the answer leaves, the lines do: Lambda may freeze the process as soon as it
/// has the answer.
pub(crate) async fn logged<T>(
    invocation: impl Future<Output = Result<T, InvocationError>>,
) -> Result<T, InvocationError> {
    telemetry::gather(async {
        invocation.await.inspect_err(|error| telemetry::log_failure(error.kind, &error.message))
    })
    .await
}

tokio::task_local! {
    /// The event on its way round the runtime's reading of it, which would be one more than ours.
    static EVENT: Cell<Vec<u8>>;
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

/// Puts each invocation in the span that gives its log lines their request id, and its event past the runtime.
#[derive(Clone)]
struct InvocationSpan<S> {
    inner: S,
}

impl<S: tower::Service<LambdaInvocation>> tower::Service<LambdaInvocation> for InvocationSpan<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = tracing::instrument::Instrumented<TaskLocalFuture<Cell<Vec<u8>>, S::Future>>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        // At ERROR, so that no configured level drops it and the request id with it.
        let span = tracing::error_span!("invocation", requestId = invocation.context.request_id.as_str());
        let _entered = span.clone().entered();
        let event = mem::replace(&mut invocation.body, "null".into());
        EVENT.scope(Cell::new(event.into()), self.inner.call(invocation)).instrument(span)
    }
}
