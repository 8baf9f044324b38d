//! What is logged, and how: the function's logging configuration.

use std::{fmt, str::FromStr};

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

use super::metrics::{METRICS, MetricsConfig, Namespace};
use crate::settings::{Settings, SettingsError};

/// Events of this target are FATAL: the level that `tracing` does not have and Lambda does.
pub(crate) const FATAL: &str = "fatal";

/// One JSON object a line, or text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For machines, and the default.
    #[default]
    Json,
    /// For eyes.
    Text,
}

/// What a function logs.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// JSON or text.
    pub format: LogFormat,
    /// `AWS_LAMBDA_FUNCTION_NAME`; empty outside Lambda.
    pub function: String,
    /// `None` where metrics are switched off.
    pub(crate) metrics: Option<MetricsConfig>,
    targets: Targets,
}

impl LogConfig {
    /// Reads `AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL`
    /// ([advanced logging controls](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html));
    /// `RUST_LOG` only where no level is configured. `METRICS_NAMESPACE` is where metrics are filed; without it, or with
    /// `off`, none are written.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(&lookup);
        let format = settings.or("AWS_LAMBDA_LOG_FORMAT", LogFormat::default());
        let level: Option<LogLevel> = settings.optional("AWS_LAMBDA_LOG_LEVEL");
        let directives: Option<Targets> = if level.is_none() { settings.optional("RUST_LOG") } else { None };
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", String::new());
        let level = level.map_or(LevelFilter::INFO, |level| level.0);
        let targets = directives.unwrap_or_else(|| quiet_libraries(level));
        let namespace: Option<Namespace> = settings.optional("METRICS_NAMESPACE");
        let metrics = namespace
            .filter(|namespace| !namespace.is_off())
            .map(|namespace| MetricsConfig { namespace, level: lambda_name(level.min(LevelFilter::INFO)) });
        settings.finish(Self { format, function, metrics, targets })
    }

    pub(crate) fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.target() == METRICS {
            return self.metrics.is_some();
        }
        metadata.target() == FATAL || self.targets.would_enable(metadata.target(), metadata.level())
    }
}

/// Libraries, by the beginning of their names, speak at WARN at the least: at DEBUG the runtime and the HTTP stack would drown the function's own lines,
/// and at TRACE the runtime logs whole events. What the runtime says of a handler's error is said by
/// [`crate::lambda`] already, with fields.
fn quiet_libraries(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::WARN);
    ["aws_", "h2", "hyper", "lambda_runtime", "rustls"]
        .into_iter()
        .fold(Targets::new().with_default(level), |targets, library| targets.with_target(library, libraries))
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
}

/// What Lambda calls the level that lets these lines through.
fn lambda_name(filter: LevelFilter) -> &'static str {
    filter.into_level().map_or("FATAL", |level| level.as_str())
}

/// Lambda's six levels.
struct LogLevel(LevelFilter);

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let filter = match text.to_ascii_uppercase().as_str() {
            "TRACE" => Level::TRACE.into(),
            "DEBUG" => Level::DEBUG.into(),
            "INFO" => Level::INFO.into(),
            "WARN" => Level::WARN.into(),
            "ERROR" => Level::ERROR.into(),
            "FATAL" => LevelFilter::OFF,
            _ => return Err(UnknownLevel),
        };
        Ok(Self(filter))
    }
}

impl FromStr for LogFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.to_ascii_uppercase().as_str() {
            "JSON" => Ok(Self::Json),
            "TEXT" => Ok(Self::Text),
            _ => Err(UnknownFormat),
        }
    }
}

#[derive(Debug)]
struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
    }
}

/// Neither `JSON` nor `Text`.
#[derive(Debug)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON or Text")
    }
}
