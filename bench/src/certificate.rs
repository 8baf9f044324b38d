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

/// What an endpoint needs to be trusted.
pub(crate) struct Trust {
    /// For the endpoint.
    pub(crate) server: Arc<ServerConfig>,
    /// A file as large as Lambda's: the machine's certificates, and the one made here at its end.
    pub(crate) bundle: PathBuf,
    /// How many certificates are in it.
    pub(crate) certificates: usize,
}

impl Trust {
    /// Makes everything anew; `folder` gets the file.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let leaf =
            CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?.signed_by(&key, &issuer)?;

        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;

        let system = SYSTEM.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let text = format!("{system}\n{}", root.pem());
        let bundle = folder.join("trusted.pem");
        fs::write(&bundle, &text).with_context(|| format!("cannot write {}", bundle.display()))?;
        Ok(Self { server: Arc::new(server), bundle, certificates: text.matches("BEGIN CERTIFICATE").count() })
    }
}
