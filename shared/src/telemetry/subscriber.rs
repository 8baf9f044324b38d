//! The subscriber: from `tracing` events to lines on stdout.

use std::{
    io::{self, Stdout, Write},
    sync::Arc,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
    subscriber::Interest,
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use super::{
    level::{FATAL, LogConfig},
    line::{Head, write_line},
    metrics::{METRICS, write_metrics},
    sink::{LineSink, Urgency},
};
use crate::{
    clock::{Clock, SystemClock},
    error_chain::error_chain,
    settings::SettingsError,
};

/// The name of the span that carries `requestId`, the id of the invocation. It is kept at every level.
pub const INVOCATION_SPAN: &str = "invocation";

/// Installs the subscriber for the process, and has panics logged as lines too.
///
/// `lookup` finds the logging configuration, see [`LogConfig::from_lookup`]. The sink is where the lines go: each
/// invocation is run through [`LineSink::gather`].
pub fn init(lookup: impl Fn(&str) -> Option<String>) -> Result<Arc<LineSink<Stdout>>, SettingsError> {
    let logger = LineLogger::new(LogConfig::from_lookup(lookup)?, SystemClock, io::stdout());
    let sink = logger.sink.clone();
    // A second call keeps the first subscriber: tests in one process may both ask for one.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(logger));
    let written_at_once = sink.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location = place, panic = panic.payload_as_str().unwrap_or("no message"), "panicked");
        written_at_once.flush();
    }));
    Ok(sink)
}

/// Logs the reason why the process cannot go on, at Lambda's level FATAL.
pub fn log_fatal(error: &dyn std::error::Error) {
    tracing::error!(target: FATAL, error = %error_chain(error), "cannot start");
}

/// The layer that writes events as lines.
pub struct LineLogger<C, W> {
    config: LogConfig,
    clock: C,
    sink: Arc<LineSink<W>>,
}

impl<C: Clock, W: Write> LineLogger<C, W> {
    /// Writes to `out`, one call a line.
    pub fn new(config: LogConfig, clock: C, out: W) -> Self {
        Self { config, clock, sink: Arc::new(LineSink::new(out)) }
    }
}

impl<S, C, W> Layer<S> for LineLogger<C, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    C: Clock + 'static,
    W: Write + Send + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if wanted(&self.config, metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        wanted(&self.config, metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Levels differ by target, and the invocation's span is wanted at all of them: decided callsite by callsite.
        None
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|span| span.name() == INVOCATION_SPAN) {
            let mut request_id = RequestId(String::new());
            attributes.record(&mut request_id);
            span.extensions_mut().insert(request_id);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let invocation =
            context.event_scope(event).and_then(|mut scope| scope.find(|span| span.name() == INVOCATION_SPAN));
        let extensions = invocation.as_ref().map(tracing_subscriber::registry::SpanRef::extensions);
        let request_id = extensions.as_ref().and_then(|extensions| extensions.get::<RequestId>());
        let head = Head {
            now: self.clock.now(),
            function: &self.config.function,
            request_id: request_id.map(|id| id.0.as_str()),
        };
        let target = event.metadata().target();
        // Not under the sink's lock: a value may log while it is written.
        let mut line = String::with_capacity(512);
        match &self.config.metrics {
            Some(metrics) if target == METRICS => write_metrics(&mut line, metrics, &head, event),
            _ => write_line(&mut line, self.config.format, &head, event),
        }
        self.sink.take(&line, if target == FATAL { Urgency::AtOnce } else { Urgency::Normal });
    }
}

fn wanted(config: &LogConfig, metadata: &Metadata<'_>) -> bool {
    if metadata.is_span() { metadata.name() == INVOCATION_SPAN } else { config.wants(metadata) }
}

struct RequestId(String);

impl Visit for RequestId {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "requestId" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        sync::Mutex,
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the clock shows.
    pub(crate) const NOW_MS: u64 = 1_767_322_245_006;

    pub(crate) fn logged(settings: &[(&str, &str)], work: impl FnOnce()) -> String {
        let lookup = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let captured = Captured::default();
        let clock = || UNIX_EPOCH + Duration::from_millis(NOW_MS);
        let config = LogConfig::from_lookup(lookup).unwrap();
        let subscriber = Registry::default().with(LineLogger::new(config, clock, captured.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn invocation() -> tracing::span::EnteredSpan {
        tracing::error_span!("invocation", requestId = "r-1").entered()
    }

    #[test]
    fn a_line_is_one_flat_json_object_in_the_order_of_the_contract() {
        let lines = logged(&[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
            let _invocation = invocation();
            tracing::info!(object.key = %"a b.jpg", object.size_bytes = 3, route = "s3", "object created");
        });
        assert_eq!(
            lines,
            concat!(
                r#"{"timestamp":"2026-01-02T02:50:45.006Z","level":"INFO","message":"object created","requestId":"r-1","#,
                r#""function":"f","object.key":"a b.jpg","object.size_bytes":3,"route":"s3"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn the_request_id_is_there_at_every_level() {
        for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] {
            let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", level)], || {
                let _invocation = invocation();
                tracing::error!("broken");
            });
            assert!(lines.contains(r#""requestId":"r-1""#), "{level}: {lines}");
        }
    }

    #[test]
    fn at_fatal_only_fatal_lines_are_written() {
        let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", "fatal")], || {
            tracing::error!("broken");
            log_fatal(&io::Error::other("no queue"));
        });
        assert_eq!(lines.lines().count(), 1, "{lines}");
        assert!(lines.contains(r#""level":"FATAL","message":"cannot start","error":"no queue""#), "{lines}");
    }

    #[test]
    fn the_configured_level_wins_over_rust_log() {
        let both = [("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("RUST_LOG", "trace")];
        assert_eq!(logged(&both, || tracing::info!("quiet")), "");
        assert!(logged(&[("RUST_LOG", "debug")], || tracing::debug!("loud")).contains("loud"));
    }

    /// What ends a line somewhere, clears a terminal, or turns a line's direction round.
    const FORGERIES: [&str; 7] = ["\n", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{1b}[2J", "\u{202e}"];

    #[test]
    fn control_characters_cannot_forge_a_line_in_any_value_or_sentence_of_either_format() {
        for format in ["JSON", "Text"] {
            for forgery in FORGERIES {
                let forged = format!("a{forgery}{{\"level\":\"FATAL\"}}");
                let lines = logged(&[("AWS_LAMBDA_LOG_FORMAT", format)], || {
                    tracing::info!(object.key = forged, "text");
                    tracing::info!(object.key = %forged, "displayed");
                    tracing::info!(object.key = ?forged, "debugged");
                    tracing::info!("{forged}");
                });
                assert_eq!(lines.lines().count(), 4, "{lines}");
                assert!(
                    !lines.trim_end().replace('\n', "").contains(FORGERIES.map(|text| text.chars().next().unwrap()))
                );
                assert!(lines.lines().all(|line| line.matches(r#""level":"#).count() <= 1), "{lines}");
            }
        }
    }

    /// The id of a request and of a message, as long as they are.
    const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

    /// docs/adr/0008: what a line costs before its own fields, and an ordinary line as a whole.
    #[test]
    fn a_record_s_line_stays_within_its_budget() {
        let lines = logged(&[("AWS_LAMBDA_FUNCTION_NAME", "sqs-worker")], || {
            let _invocation = tracing::error_span!("invocation", requestId = ID).entered();
            tracing::info!("");
            tracing::info!(record.message_id = ID, job.r#type = "NewDonor", duration_ms = 12, "job done");
        });
        let bytes: Vec<usize> = lines.lines().map(|line| line.len() + 1).collect();
        assert_eq!(bytes[0] - "sqs-worker".len(), 134, "{lines}");
        assert_eq!(bytes[1], 250, "{lines}");
        assert_eq!(lines.matches(ID).count(), 3, "no id twice in a line: {lines}");
    }

    #[test]
    fn the_runtime_never_logs_a_whole_event() {
        let lines = logged(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")], || {
            tracing::trace!(target: "lambda_runtime::layers::api_response", body = "secret", "raw JSON event");
            tracing::error!(target: "lambda_runtime::layers::panic", "said elsewhere");
        });
        assert_eq!(lines, "");
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let error = LogConfig::from_lookup(|name| (name == "AWS_LAMBDA_LOG_LEVEL").then(|| "LOUD".to_owned()));
        let text = error.unwrap_err().to_string();
        assert!(text.contains(r#"AWS_LAMBDA_LOG_LEVEL is "LOUD""#), "{text}");
    }
}
