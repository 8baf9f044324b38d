//! Answers played back to an adapter under test, through the SDK's own replay client.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::body::SdkBody;

/// A configuration whose clients get these answers, one a request, and the client that keeps what was sent.
pub(crate) fn answers(answers: &[(u16, &str)]) -> (SdkConfig, StaticReplayClient) {
    let event = |&(status, body): &(u16, &str)| {
        let response = Response::new(status.try_into().unwrap(), SdkBody::from(body));
        ReplayEvent::new(Request::new(SdkBody::empty()), response)
    };
    let replay = StaticReplayClient::new(answers.iter().map(event).collect());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
        .http_client(replay.clone())
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .build();
    (config, replay)
}

/// The bodies of the requests that were sent, as JSON where they are JSON.
pub(crate) fn sent(replay: &StaticReplayClient) -> Vec<serde_json::Value> {
    let body = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| text.into())
    };
    replay.actual_requests().map(|request| body(request.body().bytes().unwrap())).collect()
}
