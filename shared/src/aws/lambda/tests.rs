use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::retry::RetryConfig;
use aws_smithy_http_client::test_util::StaticReplayClient;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::aws::replay::{answers, sent};

async fn invoked(status: u16, body: &str) -> Result<String, InvokeError> {
    let (config, _) = answers(&[(status, body)]);
    LambdaFunction::new(&config, "worker".to_owned()).invoke("{}", Invoke::RequestResponse).await
}

#[tokio::test]
async fn an_event_is_handed_over_as_it_is() {
    let (config, replay) = answers(&[(202, "")]);
    let function = LambdaFunction::new(&config, "worker".to_owned());
    assert_eq!(function.invoke(r#"{"queueUrl":"q"}"#, Invoke::Event).await.unwrap(), "");
    assert_eq!(sent(&replay), [json!({"queueUrl": "q"})]);
    let request = replay.actual_requests().next().unwrap();
    assert_eq!(request.headers().get("x-amz-invocation-type"), Some("Event"));
}

#[tokio::test]
async fn a_synchronous_call_gives_the_function_s_answer() {
    assert_eq!(invoked(200, r#"{"done":3}"#).await.unwrap(), r#"{"done":3}"#);
}

#[tokio::test]
async fn refusals_are_told_apart_by_code_and_status() {
    let body = |code: &str| json!({"__type": code, "message": "it says"}).to_string();
    let forbidden = invoked(403, &body("AccessDeniedException")).await.unwrap_err();
    assert_eq!(forbidden, InvokeError::Refused("AccessDeniedException: it says".to_owned()));
    let throttled = invoked(429, &body("TooManyRequestsException")).await.unwrap_err();
    assert!(matches!(throttled, InvokeError::Throttled(_)), "{throttled:?}");
    let large = invoked(413, "<html>").await.unwrap_err();
    assert!(matches!(large, InvokeError::PayloadRefused(_)), "{large:?}");
    let broken = invoked(503, "").await.unwrap_err();
    assert!(matches!(broken, InvokeError::Unanswered(_)), "{broken:?}");
}

#[test]
fn a_function_s_error_is_its_type_and_message_and_nothing_of_its_payload() {
    let answer = json!({"errorType": "Runtime.ExitError", "errorMessage": "exited", "stackTrace": ["secret"]});
    assert_eq!(failed("Unhandled", answer.to_string().as_bytes()), "Runtime.ExitError: exited");
    assert_eq!(failed("Unhandled", b"secret"), "Unhandled");
    let long = json!({"errorMessage": "\u{e9}".repeat(1_000)});
    assert_eq!(failed("Unhandled", long.to_string().as_bytes()).len(), MAX_ERROR_BYTES);
}

/// With the SDK's own retries, as in a function.
fn retrying(replay: (SdkConfig, StaticReplayClient)) -> (LambdaFunction, StaticReplayClient) {
    let config = replay.0.to_builder().retry_config(RetryConfig::standard()).build();
    (LambdaFunction::new(&config, "worker".to_owned()), replay.1)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_made_again_by_the_sdk() {
    let throttled = r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#;
    let (function, replay) = retrying(answers(&[(429, throttled), (429, throttled), (200, "1")]));
    assert_eq!(function.invoke("{}", Invoke::RequestResponse).await.unwrap(), "1");
    assert_eq!(replay.actual_requests().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_is_never_made_again() {
    for status in [500, 502, 503, 504] {
        for invoke in [Invoke::Event, Invoke::RequestResponse] {
            let (function, replay) = retrying(answers(&[(status, ""), (200, "1")]));
            let error = function.invoke("{}", invoke).await.unwrap_err();
            assert!(matches!(error, InvokeError::Unanswered(_)), "{status}: {error:?}");
            assert_eq!(replay.actual_requests().count(), 1, "{status}");
        }
    }
}

/// A function's own configuration with an endpoint on this machine.
fn function_at(endpoint: &str) -> LambdaFunction {
    let credentials = aws_credential_types::Credentials::new("id", "secret", None, None, "test");
    let config = crate::aws::config(|name| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.to_owned()),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        _ => None,
    });
    let provider = aws_types::sdk_config::SharedCredentialsProvider::new(credentials);
    LambdaFunction::new(&config.to_builder().credentials_provider(provider).build(), "worker".to_owned())
}

#[tokio::test]
async fn no_connection_is_a_refusal_and_not_an_open_question() {
    // Nobody listens on port 1.
    let error = function_at("http://127.0.0.1:1").invoke("{}", Invoke::RequestResponse).await.unwrap_err();
    assert!(matches!(error, InvokeError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_it_open_and_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = AtomicUsize::new(0);
    let server = async {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 8_192];
            if socket.read(&mut bytes).await.unwrap() > 0 {
                requests.fetch_add(1, Ordering::Relaxed);
            }
            socket.shutdown().await.unwrap();
        }
    };
    let function = function_at(&endpoint);
    let error = tokio::select! {
        () = server => unreachable!("it goes on"),
        answer = function.invoke("{}", Invoke::RequestResponse) => answer.unwrap_err(),
    };
    assert!(matches!(error, InvokeError::Unanswered(_)), "{error:?}");
    assert_eq!(requests.into_inner(), 1);
}
