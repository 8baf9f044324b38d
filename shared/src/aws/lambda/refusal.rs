//! What Lambda's refusals say of the function: whether it ran, and whether it would run another payload.

use std::error::Error;

use aws_sdk_lambda::operation::invoke;
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    orchestrator::HttpResponse,
    result::{ConnectorError, SdkError},
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hyper_util::client::legacy;

use crate::{
    aws::error::{is_throttling, message_of},
    delivery::InvokeError,
};

/// Where Lambda could not make room for the function to run in: it may a little later.
const NO_ROOM: [&str; 6] = [
    "ENILimitReached",
    "ENINotReady",
    "ResourceConflict",
    "ResourceNotReady",
    "SnapStartNotReady",
    "SubnetIPAddressLimitReached",
];
/// The function cannot be started as it is configured, though Lambda says that it is Lambda's own fault (502).
const CANNOT_START: [&str; 8] = [
    "EC2AccessDenied",
    "EFS",
    "InvalidRuntime",
    "InvalidSecurityGroup",
    "InvalidSubnet",
    "InvalidZip",
    "KMS",
    "S3Files",
];
const PAYLOAD: [&str; 4] =
    ["InvalidRequestContent", "RequestTooLarge", "RequestEntityTooLarge", "UnsupportedMediaType"];

/// What an answer of Lambda's own says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Refused,
    Throttled,
    PayloadRefused,
    Unanswered,
}

/// See the errors of [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
fn said(code: &str, status: u16) -> Said {
    let is_one_of = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    match status {
        _ if status == 429 || is_throttling(code) || is_one_of(&NO_ROOM) => Said::Throttled,
        _ if matches!(status, 413 | 415) || is_one_of(&PAYLOAD) => Said::PayloadRefused,
        _ if is_one_of(&CANNOT_START) => Said::Refused,
        // It closed the connection before it had all of the request, and so it says after some minutes of silence.
        408 => Said::Unanswered,
        400..=499 => Said::Refused,
        _ => Said::Unanswered,
    }
}

/// The failure of a call that gave no answer of the function.
pub(super) fn refusal(error: &SdkError<invoke::InvokeError, HttpResponse>) -> InvokeError {
    let text = message_of(error);
    let said = match error {
        SdkError::ServiceError(service) => {
            said(service.err().code().unwrap_or_default(), service.raw().status().as_u16())
        }
        SdkError::ConstructionFailure(_) => Said::Refused,
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(never_left) => Said::Refused,
        _ => Said::Unanswered,
    };
    match said {
        Said::Refused => InvokeError::Refused(text),
        Said::Throttled => InvokeError::Throttled(text),
        Said::PayloadRefused => InvokeError::PayloadRefused(text),
        Said::Unanswered => InvokeError::Unanswered(text),
    }
}

/// Whether no byte of the request was sent: it could not be made, or there was no connection.
fn never_left(error: &ConnectorError) -> bool {
    let chain = std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
    let mut hyper = chain.filter_map(|error| error.downcast_ref::<legacy::Error>());
    error.is_user() || hyper.any(legacy::Error::is_connect)
}

/// Lets the SDK make a call again only when the function cannot have run.
#[derive(Debug)]
pub(super) struct OnceOnly;

impl ClassifyRetry for OnceOnly {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let did_not_run = if let Some(connector) = error.as_connector_error() {
            never_left(connector)
        } else {
            let service = error.as_operation_error().and_then(|error| error.downcast_ref::<invoke::InvokeError>());
            let code = service.and_then(ProvideErrorMetadata::code).unwrap_or_default();
            let status = context.response().map(|response| response.status().as_u16());
            service.is_some() && status.is_some_and(|status| said(code, status) == Said::Throttled)
        };
        if did_not_run { RetryAction::NoActionIndicated } else { RetryAction::RetryForbidden }
    }

    fn name(&self) -> &'static str {
        "only what has not run"
    }

    /// Before all others: a ban cannot be lifted.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_lambda_s_is_one_of_four() {
        for (code, status, expected) in [
            ("TooManyRequestsException", 429, Said::Throttled),
            ("", 429, Said::Throttled),
            ("EC2ThrottledException", 502, Said::Throttled),
            ("ENILimitReachedException", 502, Said::Throttled),
            ("ResourceNotReadyException", 502, Said::Throttled),
            ("ResourceConflictException", 409, Said::Throttled),
            ("AccessDeniedException", 403, Said::Refused),
            ("ResourceNotFoundException", 404, Said::Refused),
            ("KMSAccessDeniedException", 502, Said::Refused),
            ("KMSDisabledException", 502, Said::Refused),
            ("InvalidSecurityGroupIDException", 502, Said::Refused),
            ("EC2AccessDeniedException", 502, Said::Refused),
            ("EFSMountFailureException", 403, Said::Refused),
            ("UnrecognizedClientException", 403, Said::Refused),
            ("InvalidParameterValueException", 400, Said::Refused),
            ("RequestTooLargeException", 413, Said::PayloadRefused),
            ("", 413, Said::PayloadRefused),
            ("InvalidRequestContentException", 400, Said::PayloadRefused),
            ("UnsupportedMediaTypeException", 415, Said::PayloadRefused),
            ("ServiceException", 500, Said::Unanswered),
            ("EC2UnexpectedException", 502, Said::Unanswered),
            ("", 503, Said::Unanswered),
            ("RequestTimeoutException", 408, Said::Unanswered),
        ] {
            assert_eq!(said(code, status), expected, "{code} {status}");
        }
    }
}
