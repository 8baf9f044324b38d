//! Logs and metrics: one JSON object a line on stdout, as `docs/logging.md` describes.
//!
//! The runtime's own subscriber writes no timestamp (Lambda then takes every line for INFO), lets `RUST_LOG` win over
//! the function's configuration, does not know FATAL, and loses the request id at WARN. This one does not.
//!
//! [`crate::runtime::run`] sets it all up. Under another runtime, [`init`] does, or [`layer`] is composed with the layers
//! of others, which it leaves alone: what it does not write they still get.
//!
//! ```no_run
//! use sluicegate::{clock::SystemClock, settings::environment, telemetry::{self, LogConfig}};
//! use tracing_subscriber::{Registry, layer::SubscriberExt};
//!
//! let config = LogConfig::from_lookup(environment)?;
//! let subscriber = Registry::default().with(telemetry::layer(config, SystemClock, std::io::stdout()));
//! tracing::subscriber::set_global_default(subscriber)?;
//! telemetry::log_panics();
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! An invocation is the outermost span with a field `requestId`, whatever its name: the span that `lambda_runtime::run`
//! opens has one. Its lines leave in one write where its future is run through [`gather`], and one by one elsewhere.

mod config;
mod current;
mod escape;
mod init;
mod invocation;
mod layer;
mod line;
mod metrics;
mod setting;
mod span;

pub use self::{
    config::LogConfig,
    current::{gather, log_failure},
    init::{init, log_fatal, log_panics},
    layer::layer,
    metrics::{Metrics, Unit},
    setting::LogFormat,
};

#[cfg(test)]
mod tests;
