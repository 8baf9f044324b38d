//! What the SDK's errors mean to the engine.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata, operation::BuildError};

use crate::delivery::CallError;

/// The failure of a call in one line, and whether the same call may work a little later.
#[allow(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(crate) fn call_error<E>(error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_transient = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error() || service.err().code().is_some_and(is_throttling)
        }
        _ => false,
    };
    let message = match error.as_service_error().and_then(|service| Some((service.code()?, service.message()))) {
        Some((code, message)) => format!("{code}: {}", message.unwrap_or("no message")),
        None => DisplayErrorContext(&error).to_string(),
    };
    CallError { message, is_transient }
}

fn is_throttling(code: &str) -> bool {
    code.contains("Throttl") || code.contains("TooManyRequests") || code.contains("LimitExceeded")
}

/// A request the SDK would not even send.
impl From<BuildError> for CallError {
    fn from(error: BuildError) -> Self {
        Self { message: error.to_string(), is_transient: false }
    }
}
