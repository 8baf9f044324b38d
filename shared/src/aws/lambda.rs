//! Other functions.

use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};

use super::error::call_error;
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
    client: Client,
    name: String,
    invoke: Invoke,
}

impl LambdaFunction {
    /// The function of this name or ARN. Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, name: String, invoke: Invoke) -> Self {
        Self::with_client(Client::new(config), name, invoke)
    }

    /// Calls through a client of one's own.
    #[must_use]
    pub fn with_client(client: Client, name: String, invoke: Invoke) -> Self {
        Self { client, name, invoke }
    }

    /// Calls the function with a JSON payload: at most 6 MiB when waiting for the answer, 1 MiB as an event (256 KiB in
    /// older accounts). A function that answered with an error is an error here.
    /// See [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
    pub async fn invoke(&self, payload: String) -> Result<(), CallError> {
        let invocation_type = match self.invoke {
            Invoke::Event => InvocationType::Event,
            Invoke::RequestResponse => InvocationType::RequestResponse,
        };
        let call = self.client.invoke().function_name(&self.name).invocation_type(invocation_type);
        let answer = call.payload(Blob::new(payload)).send().await.map_err(call_error)?;
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
