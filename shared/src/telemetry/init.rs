//! What a process sets up once, and says when it cannot go on.

use std::{error::Error, io};

use tracing::dispatcher::get_default;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::{
    config::{FATAL, LogConfig},
    current::open_invocation,
    layer::layer,
};
use crate::{clock::SystemClock, error_chain::error_chain, settings::SettingsError};

/// Installs [`layer`], on its own and for the process, and has panics logged as lines too.
///
/// `lookup` finds the logging configuration, see [`LogConfig::from_lookup`].
pub fn init(lookup: impl Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    let layer = layer(LogConfig::from_lookup(lookup)?, SystemClock, io::stdout());
    // A second call keeps the first subscriber: tests in one process may both ask for one.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(layer));
    log_panics();
    Ok(())
}

/// Has panics logged, as `panicked` at ERROR, in place of the standard library's text on stderr.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log_panic(&place, panic.payload_as_str().unwrap_or("no message"));
    }));
}

/// At once: the process may be about to end.
pub(crate) fn log_panic(place: &str, message: &str) {
    let invocation = get_default(open_invocation);
    if let Some(log) = &invocation {
        log.release();
    }
    tracing::error!(location = place, panic = message, "panicked");
    if let Some(log) = &invocation {
        log.flush();
    }
}

/// Logs the reason why the process cannot go on, at Lambda's level FATAL.
pub fn log_fatal(error: &dyn Error) {
    tracing::error!(target: FATAL, error = %error_chain(error), "cannot start");
}
