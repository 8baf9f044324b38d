//! Whose certificates a function trusts.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

/// The five roots of Amazon Trust Services, which sign for the endpoints of AWS. A trust store of one's own should have
/// all five, says their [repository](https://www.amazontrust.com/repository/), which has the hashes of their keys too; the
/// first to go expires in December 2037.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Amazon's roots, which are in the binary, for AWS's own endpoints; the machine's for all others.
///
/// Reading the machine's, some 145, is 0.7 ms of the 3.3 to a poller's first answer over TLS (`make bench`) on a whole
/// processor, and a function of 128 MB has a fourteenth of one. `SSL_CERT_FILE` or `SSL_CERT_DIR` asks for the machine's: a proxy may
/// sign with a certificate of its own.
pub(super) fn tls_context(lookup: impl Fn(&str) -> Option<String>) -> TlsContext {
    let trusted = match trusted(lookup) {
        Trusted::Amazon => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
        Trusted::Machine => TrustStore::default(),
    };
    // What cannot be built leaves the machine's roots.
    TlsContext::builder().with_trust_store(trusted).build().unwrap_or_default()
}

#[derive(Debug, PartialEq)]
enum Trusted {
    Amazon,
    Machine,
}

fn trusted(lookup: impl Fn(&str) -> Option<String>) -> Trusted {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find_map(set).is_some();
    // Over plain HTTP nobody's certificate is asked for.
    let elsewhere = set("AWS_ENDPOINT_URL").is_some_and(|url| !url.starts_with("http://"));
    // China and the isolated partitions have authorities of their own.
    let apart = |region: &String| region.starts_with("cn-") || region.contains("-iso");
    let apart = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(set).as_ref().is_some_and(apart);
    if named || elsewhere || apart { Trusted::Machine } else { Trusted::Amazon }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted_with(settings: &[(&str, &str)]) -> Trusted {
        trusted(|name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn endpoints_of_aws_need_amazons_roots_only() {
        assert_eq!(trusted_with(&[("AWS_REGION", "eu-central-1")]), Trusted::Amazon);
        assert_eq!(trusted_with(&[("AWS_REGION", "us-gov-west-1"), ("SSL_CERT_FILE", "")]), Trusted::Amazon);
        assert_eq!(trusted_with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]), Trusted::Amazon);
    }

    #[test]
    fn everything_else_may_need_any_root_of_the_machine() {
        for setting in [
            ("SSL_CERT_FILE", "/opt/proxy.pem"),
            ("SSL_CERT_DIR", "/opt/certificates"),
            ("AWS_ENDPOINT_URL", "https://sqs.example.com"),
            ("AWS_REGION", "cn-north-1"),
            ("AWS_DEFAULT_REGION", "us-isob-east-1"),
        ] {
            assert_eq!(trusted_with(&[setting]), Trusted::Machine, "{setting:?}");
        }
    }

    #[cfg(feature = "aws-sqs")]
    #[tokio::test]
    async fn amazons_roots_are_certificates() {
        use aws_config::{Region, retry::RetryConfig};
        use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
        use aws_sdk_sqs::error::SdkError;

        // The SDK reads them when a client is made, and panics over what is none. Nobody listens on port 1.
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let config = crate::aws::config(|_| None)
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(Region::new("us-east-1"))
            .endpoint_url("https://127.0.0.1:1")
            .retry_config(RetryConfig::disabled())
            .build();
        let failed = aws_sdk_sqs::Client::new(&config).list_queues().send().await.unwrap_err();
        let SdkError::DispatchFailure(failure) = failed else { panic!("{failed:?}") };
        assert!(failure.is_io(), "{failure:?}");
    }
}
