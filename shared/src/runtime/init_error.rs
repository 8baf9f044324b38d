//! Telling Lambda why a process cannot start.

use std::{error::Error, time::Duration};

use http::Request;
use lambda_runtime_api_client::{BoxError, PooledClient, body::Body};
use serde_json::json;
use tokio::time::timeout;

use crate::error_chain::error_chain;

/// As Lambda and its metrics call the error.
const KIND: &str = "Runtime.CannotStart";

/// The process is to end, whoever listens.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says it where whoever invoked the function sees it: without this the answer is `Runtime.ExitError` and an exit code.
/// That Lambda does not hear it changes nothing: the log has it too. See
/// [Initialization error](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror).
pub(super) async fn report(error: &dyn Error) {
    match timeout(PATIENCE, post(error)).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => tracing::debug!(%problem, "Lambda was not told"),
        Err(elapsed) => tracing::debug!(problem = %elapsed, "Lambda was not told"),
    }
}

async fn post(error: &dyn Error) -> Result<(), BoxError> {
    let body = json!({"errorType": KIND, "errorMessage": error_chain(error), "stackTrace": []}).to_string();
    let request = Request::post("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", KIND)
        .body(Body::from(body))?;
    PooledClient::builder().build().call(request).await.map(drop)
}
