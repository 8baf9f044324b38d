//! The one HTTP client of a process: whom it trusts, which proxy it goes through.

use std::{fmt, sync::OnceLock};

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

use super::trust::Trusted;

/// One HTTP client for all SDK clients of a process.
///
/// - `HTTPS_PROXY` (or `https_proxy`): requests over HTTPS go through this proxy (`http://host:port`, with a user and a
///   password where it asks for them). `NO_PROXY` (or `no_proxy`) names the hosts they do not: host names with all their
///   subdomains, addresses, networks, or `*`. Plain HTTP, which only local endpoints speak, never does.
/// - `AWS_CA_BUNDLE`: only who is in this PEM file is trusted. Else `SSL_CERT_FILE` or `SSL_CERT_DIR`, else the machine.
///
/// The settings are read now, files only when a request is made. A setting that cannot be followed fails each request
/// with a sentence that names it.
#[must_use]
pub fn http_client(lookup: impl Fn(&str) -> Option<String>) -> SharedHttpClient {
    let trusted = Trusted::by_the_machine(&lookup);
    SharedHttpClient::new(Client::new(trusted, Proxy::from_lookup(&lookup)))
}

/// As [`http_client`], for a function: Amazon's own endpoints are trusted by Amazon's roots, which are in the binary.
pub(super) fn function_http_client(lookup: impl Fn(&str) -> Option<String>) -> SharedHttpClient {
    let proxy = Proxy::from_lookup(&lookup);
    // A proxy may open the connection, and sign with a certificate of its own.
    let trusted = if proxy.is_some() { Trusted::by_the_machine(&lookup) } else { Trusted::by_a_function(&lookup) };
    SharedHttpClient::new(Client::new(trusted, proxy))
}

/// Where requests go through.
struct Proxy {
    variable: &'static str,
    url: String,
    except: String,
}

impl Proxy {
    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some((name, lookup(name).filter(|value| !value.trim().is_empty())?)))
        };
        let (variable, url) = first(["HTTPS_PROXY", "https_proxy"])?;
        let except = first(["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts).unwrap_or_default();
        // The SDK's matcher takes `*` for names, not for addresses.
        let is_for_none = except.split(',').any(|host| host.trim() == "*");
        (!is_for_none).then_some(Self { variable, url, except })
    }

    /// The URL is not in the error: it may hold a password.
    fn config(&self) -> Result<ProxyConfig, String> {
        let url = self.url.trim();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let config = ProxyConfig::https(url).map_err(|problem| format!("{} is no proxy: {problem}", self.variable))?;
        Ok(config.no_proxy(&self.except))
    }
}

/// Made at its first use: it reads certificates, which a process that never calls should not pay for.
struct Client {
    trusted: Trusted,
    proxy: Option<Proxy>,
    made: OnceLock<Result<SharedHttpClient, String>>,
}

impl Client {
    fn new(trusted: Trusted, proxy: Option<Proxy>) -> Self {
        Self { trusted, proxy, made: OnceLock::new() }
    }

    fn make(&self) -> Result<SharedHttpClient, String> {
        let context = self.trusted.tls_context()?;
        let proxy = self.proxy.as_ref().map(Proxy::config).transpose()?;
        let connector = move |settings: Option<&HttpConnectorSettings>, components: Option<&RuntimeComponents>| {
            let mut builder = Connector::builder();
            builder.set_connector_settings(settings.cloned());
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            builder.set_proxy_config(proxy.clone());
            builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context.clone()).build()
        };
        Ok(Builder::new().build_with_connector_fn(connector))
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        match self.made.get_or_init(|| self.make()) {
            Ok(client) => client.http_connector(settings, components),
            Err(problem) => SharedHttpConnector::new(Misconfigured(problem.clone())),
        }
    }
}

/// Without the proxy's password.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("trusted", &self.trusted)
            .field("has_proxy", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}

/// Fails each request, with the reason.
#[derive(Debug)]
struct Misconfigured(String);

impl HttpConnector for Misconfigured {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(self.0.clone().into())))
    }
}

#[cfg(test)]
#[cfg(feature = "aws-sqs")]
mod tests;
