//! The subscriber: from `tracing` events to lines on stdout.

use std::{
    io::{self, Write},
    sync::Mutex,
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
/// `lookup` finds the logging configuration, see [`LogConfig::from_lookup`].
pub fn init(lookup: impl Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    let config = LogConfig::from_lookup(lookup)?;
    let subscriber = Registry::default().with(LineLogger::new(config, SystemClock, io::stdout()));
    // A second call keeps the first subscriber: tests in one process may both ask for one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location = place, panic = panic.payload_as_str().unwrap_or("no message"), "panicked");
    }));
    Ok(())
}

/// Logs the reason why the process cannot go on, at Lambda's level FATAL.
pub fn log_fatal(error: &dyn std::error::Error) {
    tracing::error!(target: FATAL, error = %error_chain(error), "cannot start");
}

/// The layer that writes events as lines.
pub struct LineLogger<C, W> {
    config: LogConfig,
    clock: C,
    out: Mutex<W>,
}

impl<C: Clock, W: Write> LineLogger<C, W> {
    /// Writes to `out`, one call a line.
    pub fn new(config: LogConfig, clock: C, out: W) -> Self {
        Self { config, clock, out: Mutex::new(out) }
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
        let mut line = String::with_capacity(256);
        write_line(&mut line, self.config.format, &head, event);
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nothing can be done about a stdout that is gone, least of all logging it.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
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
mod tests {
    use std::{
        sync::Arc,
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

    fn logged(settings: &[(&str, &str)], work: impl FnOnce()) -> String {
        let lookup = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let captured = Captured::default();
        let clock = || UNIX_EPOCH + Duration::from_millis(1_767_322_245_006);
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

    #[test]
    fn control_characters_cannot_forge_a_line() {
        for format in ["JSON", "Text"] {
            let lines = logged(&[("AWS_LAMBDA_LOG_FORMAT", format)], || {
                tracing::info!(object.key = "a\n{\"level\":\"FATAL\"}\u{1b}[2J", "object created");
                tracing::info!("b\nc");
            });
            assert_eq!(lines.lines().count(), 2, "{lines}");
            assert!(!lines.contains('\u{1b}'), "{lines}");
        }
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
