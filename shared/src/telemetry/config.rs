//! What is logged, and how: the function's logging configuration.

use tracing::{Metadata, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

use super::{
    line::REQUEST_ID,
    metrics::Namespace,
    setting::{LogFormat, LogLevel, SampleRate},
};
use crate::settings::{Settings, SettingsError};

/// Events of this target are FATAL: the level that `tracing` does not have and Lambda does.
pub(crate) const FATAL: &str = "fatal";
/// Where the runtime logs that a handler failed or panicked.
const RUNTIME_FAILURE: &str = "lambda_runtime::layers::panic";
/// Libraries, by the beginning of their names. Below WARN the runtime and the HTTP stack would drown the function's own
/// lines, and at TRACE the runtime logs whole events.
const LIBRARIES: [&str; 5] = ["aws_", "h2", "hyper", "lambda_runtime", "rustls"];
/// How Lambda calls starts that no event waits for.
const STARTS_AHEAD: [&str; 2] = ["provisioned-concurrency", "lambda-managed-instances"];

/// What a function logs, and where its metrics are filed.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// JSON or text.
    pub format: LogFormat,
    /// `AWS_LAMBDA_FUNCTION_NAME`; empty outside Lambda.
    pub function: String,
    /// Whether the first invocation had to wait for the process to start.
    pub(crate) starts_cold: bool,
    /// `None` where metrics are switched off.
    pub(crate) namespace: Option<Namespace>,
    /// In JSON format Lambda drops lines below the function's level, and a line without a level is INFO to it: see
    /// [log-level filtering](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
    /// So what is wanted at every level carries the least one that is let through.
    pub(crate) let_through: &'static str,
    pub(crate) detail: Option<Detail>,
    targets: Targets,
    /// Spans, whose fields are part of lines, are wanted at INFO at the least.
    spans: LevelFilter,
}

/// The lines from DEBUG up, of some invocations.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    targets: Targets,
    /// Whether they are kept until the invocation fails.
    pub(crate) on_failure: bool,
    /// The share of invocations they are written of anyway.
    pub(crate) sample_rate: f64,
}

impl LogConfig {
    /// Reads the settings, all of them optional:
    ///
    /// | setting | meaning |
    /// |---|---|
    /// | `AWS_LAMBDA_LOG_FORMAT` | `JSON` (the default) or `Text`; set by Lambda, see [advanced logging controls](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html) |
    /// | `AWS_LAMBDA_LOG_LEVEL` | `TRACE` to `FATAL`; set by Lambda in JSON format |
    /// | `RUST_LOG` | directives, only where no level is configured; without either, INFO |
    /// | `LOG_DEBUG_ON_FAILURE` | `true`: an invocation that fails writes its last 64 KiB of DEBUG lines too |
    /// | `LOG_SAMPLE_RATE` | 0 to 1: this share of invocations is logged from DEBUG up |
    /// | `METRICS_NAMESPACE` | where metrics are filed; without it, or with `off`, none are written |
    ///
    /// `lookup` finds a setting by its name: [`environment`](crate::settings::environment) in a function.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(&lookup);
        let format = settings.or("AWS_LAMBDA_LOG_FORMAT", LogFormat::default());
        let level: Option<LogLevel> = settings.optional("AWS_LAMBDA_LOG_LEVEL");
        let directives: Option<Targets> = if level.is_none() { settings.optional("RUST_LOG") } else { None };
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", String::new());
        let started: Option<String> = settings.optional("AWS_LAMBDA_INITIALIZATION_TYPE");
        let namespace: Option<Namespace> = settings.optional("METRICS_NAMESPACE");
        let on_failure = settings.or("LOG_DEBUG_ON_FAILURE", false);
        let sample_rate = settings.or("LOG_SAMPLE_RATE", SampleRate(0.0)).0;

        let level = level.map_or(LevelFilter::INFO, |level| level.0);
        // A function that is told to write FATAL lines alone is taken at its word.
        let wants_detail = (on_failure || sample_rate > 0.0) && level != LevelFilter::OFF;
        let detail = Detail { targets: quiet_libraries(LevelFilter::DEBUG), on_failure, sample_rate };
        settings.finish(Self {
            format,
            function,
            starts_cold: started.is_none_or(|kind| !STARTS_AHEAD.contains(&kind.as_str())),
            namespace: namespace.filter(|namespace| !namespace.is_off()),
            let_through: level.min(LevelFilter::INFO).into_level().map_or("FATAL", |level| level.as_str()),
            detail: wants_detail.then_some(detail),
            targets: directives.unwrap_or_else(|| quiet_libraries(level)),
            spans: level.max(if wants_detail { LevelFilter::DEBUG } else { LevelFilter::INFO }),
        })
    }

    /// Whether an event is written, or may be, or a span's fields are part of lines.
    pub(crate) fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            // An invocation's is kept at every level and from every library, and the request id with it.
            metadata.fields().field(REQUEST_ID).is_some()
                || self.targets.would_enable(metadata.target(), metadata.level())
                || !is_library(metadata) && *metadata.level() <= self.spans
        } else {
            // What panicked is said by the hook of `log_panics` already, with the place.
            let is_panic = is_runtime_failure(metadata) && metadata.fields().field("error").is_some();
            !is_panic && (self.writes(metadata) || self.detail.as_ref().is_some_and(|detail| detail.has(metadata)))
        }
    }

    /// Whether an event is one of [`Detail`]: written of some invocations only.
    pub(crate) fn is_detail(&self, metadata: &Metadata<'_>) -> bool {
        self.detail.is_some() && !self.writes(metadata)
    }

    fn writes(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == FATAL || self.targets.would_enable(metadata.target(), metadata.level())
    }
}

impl Detail {
    fn has(&self, metadata: &Metadata<'_>) -> bool {
        self.targets.would_enable(metadata.target(), metadata.level())
    }
}

/// Whether the runtime says that a handler failed: worth a line where nobody else has said it.
pub(crate) fn is_runtime_failure(metadata: &Metadata<'_>) -> bool {
    metadata.target() == RUNTIME_FAILURE
}

fn is_library(metadata: &Metadata<'_>) -> bool {
    LIBRARIES.iter().any(|library| metadata.target().starts_with(library))
}

fn quiet_libraries(level: LevelFilter) -> Targets {
    let libraries = LIBRARIES.map(|library| (library, level.min(LevelFilter::WARN)));
    Targets::new().with_default(level).with_targets(libraries)
}
