use aws_config::{Region, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    aws::{config, sqs::SqsQueue},
    delivery::{CallError, Receive, ReceivingQueue},
    events::Queue,
};

/// A receive from a queue at `https://<host>`, with these settings: what went wrong, as something must.
async fn failure(host: &str, settings: &[(&str, &str)]) -> CallError {
    let lookup = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let config = config(lookup)
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("https://{host}"))
        .retry_config(RetryConfig::disabled())
        .build();
    let queue = Queue::from_url(&format!("https://{host}/1/jobs")).unwrap();
    SqsQueue::new(&config).receive(&queue, &Receive::default()).await.unwrap_err()
}

/// A proxy that refuses all, and what it was asked first.
async fn asked_of_a_proxy(host: &str, variable: &str, others: &[(&str, &str)]) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1_024];
        let length = socket.read(&mut bytes).await.unwrap();
        socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let url = format!("http://user:pass@{address}");
    let settings = [&[(variable, url.as_str())], others].concat();
    tokio::select! {
        biased;
        asked = proxy => Some(asked),
        _failure = failure(host, &settings) => None,
    }
}

#[tokio::test]
async fn requests_over_https_go_through_the_proxy() {
    for variable in ["HTTPS_PROXY", "https_proxy"] {
        let asked = asked_of_a_proxy("sqs.us-east-1.amazonaws.com", variable, &[("NO_PROXY", "")]).await.unwrap();
        assert!(asked.starts_with("CONNECT sqs.us-east-1.amazonaws.com:443 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz"), "{asked}");
    }
}

#[tokio::test]
async fn a_host_that_no_proxy_names_is_asked_itself() {
    // Nobody listens on port 1.
    for (variable, hosts) in [("NO_PROXY", "127.0.0.1"), ("no_proxy", "sqs.example.com,127.0.0.0/8"), ("NO_PROXY", "*")]
    {
        let asked = asked_of_a_proxy("127.0.0.1:1", "HTTPS_PROXY", &[(variable, hosts)]).await;
        assert_eq!(asked, None, "{variable}={hosts}");
    }
}

#[tokio::test]
async fn a_proxy_without_a_scheme_speaks_http_and_what_is_none_is_said_without_its_password() {
    // Nobody listens on port 1, at the proxy either.
    let unreachable = failure("sqs.example.com", &[("HTTPS_PROXY", "127.0.0.1:1")]).await;
    assert!(unreachable.message.contains("refused"), "{unreachable}");
    let wrong = failure("sqs.example.com", &[("HTTPS_PROXY", "socks5://user:secret@127.0.0.1:1")]).await;
    assert!(wrong.message.contains("HTTPS_PROXY is no proxy"), "{wrong}");
    assert!(!wrong.message.contains("secret"), "{wrong}");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_fails_each_request_with_its_name() {
    let error = failure("127.0.0.1:1", &[("AWS_CA_BUNDLE", "/nowhere/bundle.pem")]).await;
    assert!(error.message.contains(r#"AWS_CA_BUNDLE is "/nowhere/bundle.pem", which cannot be read"#), "{error}");
    assert!(!error.is_transient, "it will not be there a little later");
}

#[tokio::test]
async fn the_roots_of_amazon_of_the_machine_and_of_a_bundle_are_certificates() {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/src/aws/amazon-roots.pem");
    for setting in [("AWS_REGION", "us-east-1"), ("AWS_CA_BUNDLE", bundle)] {
        // The SDK reads them at the first request, and panics over what is none. Nobody listens on port 1.
        let error = failure("127.0.0.1:1", &[setting]).await;
        assert!(error.message.contains("refused"), "{setting:?}: {error}");
    }
}
