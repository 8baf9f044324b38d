//! The layer: from `tracing` events to lines.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{Event, Subscriber, field::Visit, span};
use tracing_subscriber::{
    filter::filter_fn,
    layer::{Context, Layer},
    registry::{LookupSpan, Scope, SpanRef},
};

use super::{
    config::{FATAL, LogConfig, is_runtime_failure},
    invocation::{InvocationLog, Out, Urgency},
    line::{Each, Head, REQUEST_ID, Value, write_line},
    metrics::Metrics,
    setting::LogFormat,
    span::SpanFields,
};
use crate::{
    clock::Clock,
    random::{Random, SystemRandom},
};

/// The layer that writes events as lines to `out`, by the time of `clock`.
///
/// It filters for itself: what it does not write, and the spans it has no use for, are there for the layers beside it, an
/// OpenTelemetry layer for instance. Fields of open spans are part of each line; an inner span's field hides an outer
/// one's of the same name, an event's own hides both, and none hides what a line begins with. Spans at INFO and above
/// count at every level, spans below only where their level is written; those of libraries count where their lines are.
///
/// It must be in its [`Registry`](tracing_subscriber::Registry) as it is or boxed: [`gather`](super::gather) and
/// [`Metrics::emit`] find it there.
pub fn layer<S>(config: LogConfig, clock: impl Clock + 'static, out: impl Write + Send + 'static) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let config = Arc::new(config);
    let filter = config.clone();
    let is_cold = AtomicBool::new(config.starts_cold);
    LogLayer { config, clock: Box::new(clock), out: Arc::new(Out::new(out)), is_cold }
        .with_filter(filter_fn(move |metadata| filter.wants(metadata)))
}

pub(crate) struct LogLayer {
    config: Arc<LogConfig>,
    clock: Box<dyn Clock>,
    out: Arc<Out>,
    /// Whether the next invocation is the first.
    is_cold: AtomicBool,
}

/// The invocation that the innermost of these spans belongs to.
pub(crate) fn invocation_of<'a, R: LookupSpan<'a>>(scope: Scope<'a, R>) -> Option<Arc<InvocationLog>> {
    scope.into_iter().find_map(|span| span.extensions().get::<Arc<InvocationLog>>().cloned())
}

impl LogLayer {
    /// Writes metrics, among the lines of the invocation where there is one.
    pub(crate) fn write_metrics(&self, metrics: &Metrics, invocation: Option<&InvocationLog>) {
        let Some(namespace) = &self.config.namespace else { return };
        let mut lines = String::new();
        metrics.write(&mut lines, namespace, &self.head(self.config.let_through, false, invocation));
        self.take(&lines, Urgency::Normal, invocation);
    }

    fn head<'a>(&'a self, level: &'a str, is_debug: bool, invocation: Option<&'a InvocationLog>) -> Head<'a> {
        Head {
            now: self.clock.now(),
            level,
            request_id: invocation.map(|log| log.request_id.as_str()),
            function: &self.config.function,
            is_cold: invocation.is_some_and(|log| log.is_cold),
            is_debug,
        }
    }

    fn take(&self, lines: &str, urgency: Urgency, invocation: Option<&InvocationLog>) {
        match invocation {
            Some(log) => log.take(lines, urgency),
            None => self.out.write(lines.as_bytes()),
        }
    }

    /// Takes a span's fields in. The outermost one that has a request's id is an invocation's.
    fn record<'a, R: LookupSpan<'a>>(&self, span: &SpanRef<'a, R>, record: impl FnOnce(&mut dyn Visit)) {
        let mut fields = SpanFields::default();
        let mut request_id = None;
        record(&mut Each(|name, value: Value<'_>| {
            if name == REQUEST_ID {
                request_id = Some(value.to_string());
            } else {
                let mut text = String::new();
                value.push(&mut text);
                fields.set(name, text);
            }
        }));
        let invocation =
            request_id.filter(|_| invocation_of(span.scope()).is_none()).map(|id| Arc::new(self.begin(id)));
        let mut extensions = span.extensions_mut();
        if let Some(invocation) = invocation {
            extensions.replace(invocation);
        }
        match extensions.get_mut::<SpanFields>() {
            Some(known) => known.extend(&fields),
            None => extensions.insert(fields),
        }
    }

    fn begin(&self, request_id: String) -> InvocationLog {
        let is_cold = self.is_cold.swap(false, Ordering::Relaxed);
        let detail = self.config.detail.as_ref();
        let is_sampled = detail.is_some_and(|detail| SystemRandom.fraction() < detail.sample_rate);
        InvocationLog::new(request_id, is_cold, is_sampled, self.out.clone())
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            self.record(&span, |visitor| attributes.record(visitor));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            self.record(&span, |visitor| values.record(visitor));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut spans = SpanFields::default();
        let mut invocation = None;
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            invocation = invocation.or_else(|| extensions.get::<Arc<InvocationLog>>().cloned());
            if let Some(fields) = extensions.get() {
                spans.extend(fields);
            }
        }
        let invocation = invocation.as_deref();
        let detail = self.config.detail.as_ref().filter(|_| self.config.is_detail(metadata));
        let keep = match (detail, invocation) {
            (None, _) => None,
            (Some(_), Some(log)) if log.is_sampled => None,
            (Some(detail), Some(log)) if detail.on_failure => Some(log),
            (Some(_), _) => return,
        };
        if is_runtime_failure(metadata) && invocation.is_some_and(|log| !log.fail()) {
            return;
        }
        let is_fatal = metadata.target() == FATAL;
        let is_json = self.config.format == LogFormat::Json;
        let level = match detail {
            Some(_) if is_json => self.config.let_through,
            _ if is_fatal => "FATAL",
            _ => metadata.level().as_str(),
        };
        // Under no lock: a value may log while it is written.
        let mut line = String::with_capacity(512);
        let head = self.head(level, detail.is_some() && is_json, invocation);
        write_line(&mut line, self.config.format, &head, &spans, event);
        match keep {
            Some(log) => log.keep(line),
            None => self.take(&line, if is_fatal { Urgency::AtOnce } else { Urgency::Normal }, invocation),
        }
    }
}
