//! Clients made at their first use.

use std::sync::OnceLock;

use aws_config::SdkConfig;

/// A client that is made when it is first asked for: making one reads the root certificates
/// and sets TLS up, which a function that seldom calls should not pay for at every start.
#[derive(Debug, Clone)]
pub(crate) struct Lazy<C> {
    config: SdkConfig,
    make: fn(&SdkConfig) -> C,
    client: OnceLock<C>,
}

impl<C> Lazy<C> {
    pub(crate) fn new(config: &SdkConfig, make: fn(&SdkConfig) -> C) -> Self {
        Self { config: config.clone(), make, client: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &C {
        self.client.get_or_init(|| (self.make)(&self.config))
    }
}
