//! The layer leaves its neighbours alone.

use tracing::{Event, field::Field, span};
use tracing_subscriber::layer::{Context, Layer};

use super::*;

/// Sees what an OpenTelemetry layer would.
#[derive(Clone, Default)]
struct Neighbour(Arc<Mutex<Vec<String>>>);

impl Neighbour {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Neighbour {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.0.lock().unwrap().push(attributes.metadata().name().to_owned());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            self.0.lock().unwrap().push(format!("{field}: {value:?}"));
        });
    }
}

fn work() {
    let _invocation = tracing::info_span!("invocation", requestId = "r-1").entered();
    let _call = tracing::trace_span!(target: "aws_smithy_runtime", "call").entered();
    tracing::trace!(target: "hyper", "sent");
    let _step = tracing::debug_span!("step").entered();
    tracing::debug!("a detail");
    tracing::info!("a step");
}

#[test]
fn a_layer_beside_it_sees_every_span_and_event_at_every_level_and_on_either_side() {
    let seen = ["invocation", "call", "message: sent", "step", "message: a detail", "message: a step"];
    let seen = seen.map(String::from).to_vec();
    for (level, written) in [("FATAL", 0), ("WARN", 0), ("INFO", 1), ("DEBUG", 2)] {
        let config = config(&[("AWS_LAMBDA_LOG_LEVEL", level)]);
        let (writes, neighbour) = (Writes::default(), Neighbour::default());
        let ours = layer(config.clone(), clock, writes.clone());
        tracing::subscriber::with_default(Registry::default().with(ours).with(neighbour.clone()), work);
        assert_eq!((neighbour.seen(), writes.lines().len()), (seen.clone(), written), "{level}");

        let (writes, neighbour) = (Writes::default(), Neighbour::default());
        let ours = layer(config, clock, writes.clone());
        tracing::subscriber::with_default(Registry::default().with(neighbour.clone()).with(ours), work);
        assert_eq!((neighbour.seen(), writes.lines().len()), (seen.clone(), written), "{level}, on the other side");
    }
}

#[test]
fn metrics_find_the_layer_among_others_and_are_no_events() {
    let settings = [("AWS_LAMBDA_FUNCTION_NAME", "f"), ("METRICS_NAMESPACE", "Shop")];
    let (writes, neighbour) = (Writes::default(), Neighbour::default());
    let ours = layer(config(&settings), clock, writes.clone()).boxed();
    let subscriber = Registry::default().with(neighbour.clone()).with(ours).with(Neighbour::default());
    tracing::subscriber::with_default(subscriber, || {
        let _invocation = invocation();
        Metrics::new().count("Orders", 1).emit();
    });
    assert_eq!(writes.lines()[0]["Orders"], 1);
    assert_eq!(writes.lines()[0]["requestId"], "r-1");
    assert_eq!(neighbour.seen(), ["invocation"]);
}
