//! What belongs to the invocation whose span is open.

use std::sync::Arc;

use tracing::dispatcher::{Dispatch, get_default};
use tracing_subscriber::{Registry, registry::LookupSpan};

use super::{
    invocation::InvocationLog,
    layer::{LogLayer, invocation_of},
    metrics::Metrics,
};

/// Runs an invocation and writes its lines together: when it is over, and before that when there are 32 KiB of them, when
/// one is FATAL, when the code panics, and four times a second while the invocation waits.
///
/// To be called inside the invocation's span, the outermost one with a field `requestId`; elsewhere, and without
/// [`layer`](super::layer), it does nothing to the future. [`crate::runtime::run`] calls it; under `lambda_runtime::run` a
/// handler is wrapped in it. Any number of invocations may run at once.
///
/// ```no_run
/// # use lambda_runtime::{Error, LambdaEvent, service_fn};
/// # use sluicegate::{settings::environment, telemetry};
/// async fn handler(event: LambdaEvent<serde_json::Value>) -> Result<(), Error> {
///     tracing::info!(event.is_empty = event.payload.is_null(), "event received");
///     Ok(())
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Error> {
///     telemetry::init(environment)?;
///     lambda_runtime::run(service_fn(|event| telemetry::gather(handler(event)))).await
/// }
/// ```
///
/// A handler that keeps its thread busy without waiting keeps its lines too; long work belongs on another thread
/// (`tokio::task::spawn_blocking`) for the deadline's sake already.
pub async fn gather<T>(invocation: impl Future<Output = T>) -> T {
    match get_default(open_invocation) {
        Some(log) => log.gather(invocation).await,
        None => invocation.await,
    }
}

/// Logs that the invocation has failed, as `invocation failed` at ERROR, after the lines that were kept for that case.
///
/// `kind` is a short stable name, the message is for people.
pub fn log_failure(kind: &str, message: &str) {
    if let Some(log) = get_default(open_invocation) {
        log.fail();
    }
    tracing::error!(error.r#type = kind, error.message = message, "invocation failed");
}

impl Metrics {
    /// Writes them, with the invocation's lines where one is open. Nothing is written where metrics are switched off,
    /// outside Lambda, or where nothing was measured. Call it once an invocation.
    pub fn emit(self) {
        get_default(|dispatch| {
            if let Some(layer) = dispatch.downcast_ref::<LogLayer>() {
                layer.write_metrics(&self, open_invocation(dispatch).as_deref());
            }
        });
    }
}

pub(crate) fn open_invocation(dispatch: &Dispatch) -> Option<Arc<InvocationLog>> {
    let registry = dispatch.downcast_ref::<Registry>()?;
    invocation_of(registry.span(dispatch.current_span().id()?)?.scope())
}
