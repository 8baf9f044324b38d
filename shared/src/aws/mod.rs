//! Adapters behind the ports, one service a file, and the one configuration all clients share.

#[cfg(feature = "aws-dynamodb")]
pub mod dynamodb;
#[cfg(any(feature = "aws-dynamodb", feature = "aws-lambda", feature = "aws-s3", feature = "aws-sqs"))]
mod error;
#[cfg(feature = "aws-lambda")]
pub mod lambda;
#[cfg(any(
    feature = "aws-dynamodb",
    feature = "aws-lambda",
    feature = "aws-s3",
    feature = "aws-sns",
    feature = "aws-sqs"
))]
mod lazy;
#[cfg(test)]
mod replay;
#[cfg(feature = "aws-s3")]
pub mod s3;
#[cfg(feature = "aws-sns")]
pub mod sns;
#[cfg(feature = "aws-sqs")]
pub mod sqs;
mod trust;

use aws_config::{BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::sdk_config::SharedCredentialsProvider;
use std::time::Duration;

/// Longer than the longest long poll (20 s), so that an empty queue is not taken for a dead connection.
const READ_TIMEOUT: Duration = Duration::from_secs(25);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The configuration of every SDK client in a function, and the one HTTP client they share.
///
/// Lambda puts credentials and region in the environment, so no provider chain is built and no profile file is read.
/// `AWS_ENDPOINT_URL` is followed, for the local run. Nothing is opened before the first call, and no certificates are
/// read from the machine: AWS's endpoints are trusted by the roots of Amazon, which are in the binary. `SSL_CERT_FILE`
/// asks for others; other endpoints, China's and those of the isolated partitions get the machine's.
#[must_use]
pub fn config(lookup: impl Fn(&str) -> Option<String>) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(http_client_trusting(trust::tls_context(&lookup)))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts());
    builder.set_region(lookup("AWS_REGION").or_else(|| lookup("AWS_DEFAULT_REGION")).map(Region::new));
    builder.set_endpoint_url(lookup("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()));
    builder.build()
}

/// One HTTP client for all SDK clients of a process that finds its credentials in another way than [`config`]; it trusts
/// whom the machine trusts.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    http_client_trusting(TlsContext::default())
}

/// With the one TLS provider of the crate.
fn http_client_trusting(context: TlsContext) -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
}

/// How long [`config`]'s clients wait: 3 s for a connection, and for an answer longer than the longest long poll.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()
}
