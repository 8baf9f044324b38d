//! Logs and metrics: one JSON object a line on stdout, as `docs/logging.md` describes.
//!
//! The runtime's own subscriber writes no timestamp (Lambda then takes every line for INFO), lets `RUST_LOG` win over
//! the function's configuration, does not know FATAL, and loses the request id at WARN. This one does not.

mod escape;
mod level;
mod line;
mod metrics;
mod sink;
mod subscriber;

pub use self::{
    level::{LogConfig, LogFormat},
    metrics::Metrics,
    sink::LineSink,
    subscriber::{INVOCATION_SPAN, LineLogger, init, log_fatal},
};
