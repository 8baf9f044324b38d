//! Whose certificates are trusted.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The five roots of Amazon Trust Services, which sign for the endpoints of AWS. A trust store of one's own should have
/// all five, says their [repository](https://www.amazontrust.com/repository/), which has the hashes of their keys too; the
/// first to go expires in December 2037.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

const BUNDLE: &str = "AWS_CA_BUNDLE";

/// Who may sign for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trusted {
    /// Amazon's roots, which are in the binary.
    Amazon,
    /// Whom the machine trusts, or `SSL_CERT_FILE` or `SSL_CERT_DIR` says.
    Machine,
    /// Who is in this PEM file, and nobody else.
    Bundle(String),
}

impl Trusted {
    /// As every tool of AWS settles it: `AWS_CA_BUNDLE`, else the machine.
    pub(super) fn by_the_machine(lookup: impl Fn(&str) -> Option<String>) -> Self {
        lookup(BUNDLE).filter(|path| !path.is_empty()).map_or(Self::Machine, Self::Bundle)
    }

    /// Amazon's roots for AWS's own endpoints; the machine's for all others, and where it is asked for them.
    ///
    /// Reading the machine's, some 145, is 0.7 ms of the 3.3 to a poller's first answer over TLS (`make bench`) on a whole
    /// processor, and a function of 128 MB has a fourteenth of one. `SSL_CERT_FILE` or `SSL_CERT_DIR` asks for the
    /// machine's: a proxy may sign with a certificate of its own.
    pub(super) fn by_a_function(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let named = ["SSL_CERT_FILE", "SSL_CERT_DIR", BUNDLE].into_iter().find_map(set).is_some();
        // Over plain HTTP nobody's certificate is asked for.
        let elsewhere = set("AWS_ENDPOINT_URL").is_some_and(|url| !url.starts_with("http://"));
        // China and the isolated partitions have authorities of their own.
        let apart = |region: &String| region.starts_with("cn-") || region.contains("-iso");
        let apart = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(set).as_ref().is_some_and(apart);
        if named || elsewhere || apart { Self::by_the_machine(lookup) } else { Self::Amazon }
    }

    /// What the TLS provider takes. The error is for people, and names the setting.
    pub(super) fn tls_context(&self) -> Result<TlsContext, String> {
        let store = match self {
            Self::Amazon => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
            Self::Machine => TrustStore::default(),
            Self::Bundle(path) => bundle(path)?,
        };
        TlsContext::builder().with_trust_store(store).build().map_err(|problem| problem.to_string())
    }
}

/// The file's certificates. One that cannot be read is passed over, as the machine's are: the SDK would panic over it.
fn bundle(path: &str) -> Result<TrustStore, String> {
    let pem =
        std::fs::read(path).map_err(|problem| format!("{BUNDLE} is {path:?}, which cannot be read: {problem}"))?;
    let readable = CertificateDer::pem_slice_iter(&pem)
        .filter_map(Result::ok)
        .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    let (mut store, mut is_empty) = (TrustStore::empty(), true);
    for certificate in readable {
        let encoded = BASE64_STANDARD.encode(&certificate);
        store.add_pem_certificate(format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n"));
        is_empty = false;
    }
    if is_empty { Err(format!("{BUNDLE} is {path:?}, which holds no certificate in PEM format")) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted_with(settings: &[(&str, &str)]) -> Trusted {
        Trusted::by_a_function(|name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn endpoints_of_aws_need_amazons_roots_only() {
        assert_eq!(trusted_with(&[("AWS_REGION", "eu-central-1")]), Trusted::Amazon);
        assert_eq!(trusted_with(&[("AWS_REGION", "us-gov-west-1"), ("SSL_CERT_FILE", "")]), Trusted::Amazon);
        assert_eq!(trusted_with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]), Trusted::Amazon);
        assert_eq!(trusted_with(&[("AWS_CA_BUNDLE", "")]), Trusted::Amazon);
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

    #[test]
    fn a_bundle_that_is_named_is_all_that_is_trusted() {
        let settings = [("AWS_CA_BUNDLE", "/opt/bundle.pem"), ("SSL_CERT_FILE", "/opt/proxy.pem")];
        assert_eq!(trusted_with(&settings), Trusted::Bundle("/opt/bundle.pem".to_owned()));
    }

    #[test]
    fn a_bundle_that_cannot_be_followed_is_named_with_the_reason() {
        let problem = |path: &str| Trusted::Bundle(path.to_owned()).tls_context().unwrap_err();
        assert!(
            problem("/nowhere/bundle.pem")
                .starts_with(r#"AWS_CA_BUNDLE is "/nowhere/bundle.pem", which cannot be read"#)
        );
        assert!(
            problem(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).ends_with("holds no certificate in PEM format")
        );
    }

    #[test]
    fn a_certificate_that_cannot_be_read_does_not_cost_the_others() {
        let path = std::env::temp_dir().join(format!("sluicegate-bundle-{}.pem", std::process::id()));
        let broken = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, [broken.as_bytes(), AMAZON_ROOTS].concat()).unwrap();
        let context = Trusted::Bundle(path.display().to_string()).tls_context();
        std::fs::remove_file(&path).unwrap();
        context.unwrap();
    }
}
