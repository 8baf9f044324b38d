//! An AWS that was written down beforehand, for tests of the commands.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::Connection;

/// A connection to `region` that gives these answers, status and body, one a request; the client tells what was asked.
pub(crate) fn replaying<T: ToString>(region: &'static str, answers: &[(u16, T)]) -> (StaticReplayClient, Connection) {
    let event = |(status, body): &(u16, T)| {
        let response = Response::new((*status).try_into().unwrap(), SdkBody::from(body.to_string()));
        ReplayEvent::new(Request::new(SdkBody::empty()), response)
    };
    let replay = StaticReplayClient::new(answers.iter().map(event).collect());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
        .http_client(replay.clone())
        .region(Region::new(region))
        .build();
    (replay, Connection::with(config))
}

/// The requests so far, each body read.
pub(crate) fn asked(replay: &StaticReplayClient) -> Vec<Value> {
    replay.actual_requests().map(|request| serde_json::from_slice(request.body().bytes().unwrap()).unwrap()).collect()
}
