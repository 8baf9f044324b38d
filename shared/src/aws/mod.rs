//! Adapters behind the ports, one service a file, and the one configuration all clients share.

#[cfg(feature = "aws-dynamodb")]
pub mod dynamodb;
#[cfg(any(feature = "aws-dynamodb", feature = "aws-lambda", feature = "aws-s3", feature = "aws-sqs"))]
mod error;
mod http;
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

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::sdk_config::SharedCredentialsProvider;

pub use self::http::http_client;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A small call is answered in milliseconds. What takes longer is a connection that is dead, and the SDK makes another.
const SMALL_CALL: Duration = Duration::from_secs(5);
/// Longer than the longest long poll (20 s), so that an empty queue is not taken for a dead connection.
const LONG_CALL: Duration = Duration::from_secs(25);

/// The configuration of every SDK client in a function, and the one HTTP client they share.
///
/// Lambda puts credentials and region in the environment, so no provider chain is built and no profile file is read.
/// `AWS_ENDPOINT_URL` is followed, for the local run, and what [`http_client`] says of proxies and certificates. Nothing
/// is opened before the first call, and no certificates are read from the machine: AWS's endpoints are trusted by the
/// roots of Amazon, which are in the binary. `SSL_CERT_FILE` asks for the machine's; other endpoints, China's, those of the
/// isolated partitions and what goes through a proxy get them too.
///
/// An attempt at a call ends after five seconds, so that another can be made; the adapters of calls that take longer
/// (long polls, objects, synchronous invocations) say so themselves.
#[must_use]
pub fn config(lookup: impl Fn(&str) -> Option<String>) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(http::function_http_client(&lookup))
        .retry_config(RetryConfig::standard())
        .timeout_config(attempts_of(SMALL_CALL));
    builder.set_region(lookup("AWS_REGION").or_else(|| lookup("AWS_DEFAULT_REGION")).map(Region::new));
    builder.set_endpoint_url(lookup("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()));
    builder.build()
}

/// For a command line: 3 s for a connection, and for an attempt at a call longer than the longest long poll.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    attempts_of(LONG_CALL)
}

/// The HTTP client knows no read time-out: connections are pooled by it, so that two kinds of call would share none.
fn attempts_of(longest: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(longest).build()
}

/// The configuration of a client whose calls may take as long as the longest long poll.
#[cfg(any(feature = "aws-s3", feature = "aws-sqs"))]
fn patient(config: &SdkConfig) -> SdkConfig {
    config.to_builder().timeout_config(timeouts()).build()
}
