//! Other functions.

mod refusal;

use aws_config::SdkConfig;
use aws_sdk_lambda::{Client, config, primitives::Blob, types::InvocationType};
use aws_smithy_types::timeout::TimeoutConfig;
use serde::Deserialize;

use self::refusal::{OnceOnly, refusal};
use super::lazy::Lazy;
use crate::delivery::{Invoke, InvokeError, TargetFunction};

/// What an error of a function may say here.
const MAX_ERROR_BYTES: usize = 512;

/// A Lambda function that this one calls.
///
/// A payload is 6 MiB at the most when the call waits for the answer, 1 MiB as an event (256 KiB in older accounts). The
/// SDK makes a call again only where the function has not run: when it was throttled, or no connection was made. It waits
/// for an answer as long as its caller does.
/// See [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
#[derive(Debug, Clone)]
pub struct LambdaFunction {
    client: Lazy<Client>,
    name: String,
}

impl LambdaFunction {
    /// The function of this name or ARN. Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { client: Lazy::new(config, client), name }
    }
}

impl TargetFunction for LambdaFunction {
    async fn invoke(&self, payload: &str, invoke: Invoke) -> Result<String, InvokeError> {
        let invocation_type = match invoke {
            Invoke::Event => InvocationType::Event,
            Invoke::RequestResponse => InvocationType::RequestResponse,
        };
        let call = self.client.get().invoke().function_name(&self.name).invocation_type(invocation_type);
        let answer = Box::pin(call.payload(Blob::new(payload)).send()).await.map_err(|error| refusal(&error))?;
        let text = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match answer.function_error {
            None => Ok(String::from_utf8_lossy(&text).into_owned()),
            Some(kind) => Err(InvokeError::Failed(failed(&kind, &text))),
        }
    }
}

/// Cut short and repeated, a call would start the work a second time.
fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(super::CONNECT_TIMEOUT).build();
    // Made anew: a configuration that is changed keeps the time-outs that it had and the new one does not set.
    let config = config.to_builder().timeout_config(timeouts).build();
    Client::from_conf(config::Builder::from(&config).retry_classifier(OnceOnly).build())
}

/// Type and message of a function's error: nothing else of what it answered.
fn failed(kind: &str, answer: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Failed {
        error_type: Option<String>,
        error_message: Option<String>,
    }
    let Failed { error_type, error_message } = serde_json::from_slice(answer).unwrap_or_default();
    let mut text = match (error_type, error_message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => kind.to_owned(),
    };
    text.truncate(text.floor_char_boundary(MAX_ERROR_BYTES));
    text
}

#[cfg(test)]
mod tests;
