//! A certificate authority made for one run of the bench, and a server's certificate signed by it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// Where Linux distributions keep the certificates they trust; the second is Lambda's own.
const SYSTEM: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// What functions trust.
const AMAZON: &str = "shared/src/aws/amazon-roots.pem";

/// What an endpoint needs to be trusted.
pub(crate) struct Trust {
    /// For the endpoint.
    pub(crate) server: Arc<ServerConfig>,
    /// A file with as many certificates as functions have in them: Amazon's roots, and the one made here at its end.
    pub(crate) few: TrustFile,
    /// A file as large as Lambda's: the machine's certificates, and the one made here at its end.
    pub(crate) many: TrustFile,
}

/// What goes into `SSL_CERT_FILE`.
pub(crate) struct TrustFile {
    pub(crate) path: PathBuf,
    pub(crate) certificates: usize,
}

impl TrustFile {
    fn write(path: PathBuf, text: &str) -> Result<Self> {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, certificates: text.matches("BEGIN CERTIFICATE").count() })
    }
}

impl Trust {
    /// Makes everything anew; `folder` gets the files.
    pub(crate) fn new(root: &Path, folder: &Path) -> Result<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let leaf =
            CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?.signed_by(&key, &issuer)?;

        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;

        let amazon = fs::read_to_string(root.join(AMAZON)).with_context(|| format!("no {AMAZON}"))?;
        let system = SYSTEM.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        Ok(Self {
            server: Arc::new(server),
            few: TrustFile::write(folder.join("trusted-few.pem"), &format!("{amazon}\n{own}"))?,
            many: TrustFile::write(folder.join("trusted-many.pem"), &format!("{system}\n{own}"))?,
        })
    }
}
