//! What the layer writes of events, held to docs/logging.md.

mod beside;
mod detail;
mod gather;
mod line;
mod span;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use serde_json::Value;
use tracing::{Subscriber, span::EnteredSpan};
use tracing_subscriber::{Registry, layer::SubscriberExt, registry::LookupSpan};

use super::*;

/// What the clock shows.
pub(crate) const NOW_MS: u64 = 1_767_322_245_006;

/// Each write as it came.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<String>>>);

impl Writes {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Every line, read.
    fn lines(&self) -> Vec<Value> {
        self.all().concat().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The sentence of every line.
    fn sentences(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The layer alone, and what it writes.
fn subscriber(settings: &[(&str, &str)]) -> (impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync, Writes) {
    let writes = Writes::default();
    (Registry::default().with(layer(config(settings), clock, writes.clone())), writes)
}

fn config(settings: &[(&str, &str)]) -> LogConfig {
    let lookup = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    LogConfig::from_lookup(lookup).unwrap()
}

fn clock() -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW_MS)
}

pub(crate) fn logged(settings: &[(&str, &str)], work: impl FnOnce()) -> String {
    let (subscriber, writes) = subscriber(settings);
    tracing::subscriber::with_default(subscriber, work);
    writes.all().concat()
}

fn invocation() -> EnteredSpan {
    tracing::error_span!("invocation", requestId = "r-1").entered()
}
