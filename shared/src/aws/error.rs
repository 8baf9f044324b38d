//! What the SDK's errors mean to the engine.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{metadata::ProvideErrorMetadata, operation::BuildError};

use crate::{delivery::CallError, error_chain::error_chain};

/// The failure of a call in one line, and whether the same call may work a little later.
#[cfg(any(feature = "aws-dynamodb", feature = "aws-s3", feature = "aws-sns", feature = "aws-sqs"))]
#[allow(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(crate) fn call_error<E>(error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_transient = match &error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // A request that cannot be made as the settings are.
        SdkError::DispatchFailure(failure) => !failure.is_user(),
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error() || service.err().code().is_some_and(is_throttling)
        }
        _ => false,
    };
    CallError { message: message_of(&error), is_transient }
}

/// Code and text of the service, or what the connection said, in one line.
pub(super) fn message_of<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.as_service_error().and_then(|service| Some((service.code()?, service.message()))) {
        Some((code, message)) => format!("{code}: {}", message.unwrap_or("no message")),
        None => error_chain(error),
    }
}

/// Whether a code asks for patience, whoever is blamed for it.
pub(super) fn is_throttling(code: &str) -> bool {
    ["Throttl", "TooManyRequests", "LimitExceeded", "ThroughputExceeded", "OverLimit", "SlowDown"]
        .into_iter()
        .any(|part| code.contains(part))
}

/// A request the SDK would not even send.
impl From<BuildError> for CallError {
    fn from(error: BuildError) -> Self {
        Self { message: error.to_string(), is_transient: false }
    }
}
