//! Other functions.

use aws_config::SdkConfig;
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};

use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

use super::{error::call_error, lazy::Lazy};
use crate::delivery::CallError;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invoke {
    /// Lambda takes the event and answers at once; failures are retried by Lambda and end at its own destination.
    Event,
    /// The call lasts as long as the function: its caller feels how fast it is.
    RequestResponse,
}

impl std::str::FromStr for Invoke {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Event" => Ok(Self::Event),
            "RequestResponse" => Ok(Self::RequestResponse),
            _ => Err("Event or RequestResponse"),
        }
    }
}

/// A Lambda function that this one calls.
#[derive(Debug, Clone)]
pub struct LambdaFunction {
    client: Lazy<Client>,
    name: String,
    invoke: Invoke,
}

impl LambdaFunction {
    /// The function of this name or ARN. Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String, invoke: Invoke) -> Self {
        Self { client: Lazy::new(&patient(config, invoke), Client::new), name, invoke }
    }

    /// Calls the function with a JSON payload: at most 6 MiB when waiting for the answer, 1 MiB as an event (256 KiB in
    /// older accounts). A function that answered with an error is an error here.
    /// See [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
    pub async fn invoke(&self, payload: String) -> Result<(), CallError> {
        let invocation_type = match self.invoke {
            Invoke::Event => InvocationType::Event,
            Invoke::RequestResponse => InvocationType::RequestResponse,
        };
        let call = self.client.get().invoke().function_name(&self.name).invocation_type(invocation_type);
        let answer = Box::pin(call.payload(Blob::new(payload)).send()).await.map_err(call_error)?;
        match answer.function_error {
            None => Ok(()),
            Some(kind) => {
                let said = answer.payload.map(|payload| String::from_utf8_lossy(payload.as_ref()).into_owned());
                let message = format!("the function failed ({kind}): {}", said.unwrap_or_default());
                Err(CallError { message, is_transient: true })
            }
        }
    }
}

/// A call waits for its answer as long as its caller does: cut short and repeated, it would start the work a second time.
/// For the same reason a call that waits for the work is not repeated by the SDK.
fn patient(config: &SdkConfig, invoke: Invoke) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(super::CONNECT_TIMEOUT).build();
    let retry = match invoke {
        Invoke::Event => config.retry_config().cloned(),
        Invoke::RequestResponse => Some(RetryConfig::disabled()),
    };
    let mut builder = config.to_builder().timeout_config(timeouts);
    builder.set_retry_config(retry);
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{answers, sent};

    #[tokio::test]
    async fn an_event_is_handed_over_as_it_is() {
        let (config, replay) = answers(&[(202, "")]);
        let function = LambdaFunction::new(&config, "worker".to_owned(), Invoke::Event);
        function.invoke(r#"{"queueUrl":"q"}"#.to_owned()).await.unwrap();
        assert_eq!(sent(&replay), [serde_json::json!({"queueUrl": "q"})]);
        let request = replay.actual_requests().next().unwrap();
        assert_eq!(request.headers().get("x-amz-invocation-type"), Some("Event"));
    }

    #[tokio::test]
    async fn a_throttled_call_may_work_later_and_a_forbidden_one_may_not() {
        let throttled = r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#;
        let forbidden = r#"{"__type":"AccessDeniedException","message":"not allowed"}"#;
        for (status, body, is_transient) in [(429, throttled, true), (403, forbidden, false), (503, "", true)] {
            let (config, _) = answers(&[(status, body)]);
            let function = LambdaFunction::new(&config, "worker".to_owned(), Invoke::RequestResponse);
            let error = function.invoke("{}".to_owned()).await.unwrap_err();
            assert_eq!(error.is_transient, is_transient, "{error}");
        }
    }
}
