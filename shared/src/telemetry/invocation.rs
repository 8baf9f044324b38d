//! The lines of one invocation on their way out.

use std::{
    collections::VecDeque,
    io::Write,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

/// Gathered bytes that do not wait for more.
const ENOUGH_BYTES: usize = 32 * 1_024;
/// Bytes of detail that are kept for the case of failure; beyond them the oldest lines go.
const MAX_KEPT_BYTES: usize = 64 * 1_024;
/// How long a gathered line waits while its invocation waits for something. A process that Lambda kills at its time-out
/// has as a rule been waiting: what is lost with it is no more than this.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Where all lines go. Each write is a system call, so that an invocation's lines leave together.
pub(crate) struct Out(Mutex<Box<dyn Write + Send>>);

impl Out {
    pub(crate) fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }

    /// Writes whole lines.
    pub(crate) fn write(&self, lines: &[u8]) {
        let mut out = lock(&self.0);
        // Nothing can be done about a stdout that is gone, least of all logging it.
        let _ = out.write_all(lines).and_then(|()| out.flush());
    }
}

/// Whether a line may wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// With the others of its invocation.
    Normal,
    /// Not at all: the process may be about to end.
    AtOnce,
}

/// What is known of an invocation that is open, and its lines. Its span owns it.
pub(crate) struct InvocationLog {
    pub(crate) request_id: String,
    /// Whether it is the first of its process.
    pub(crate) is_cold: bool,
    /// Whether its detail is written as it comes.
    pub(crate) is_sampled: bool,
    out: Arc<Out>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest detail, a line each.
    kept: VecDeque<String>,
    kept_bytes: usize,
    gathered: Vec<u8>,
    is_gathering: bool,
    has_failed: bool,
}

impl InvocationLog {
    pub(crate) fn new(request_id: String, is_cold: bool, is_sampled: bool, out: Arc<Out>) -> Self {
        Self { request_id, is_cold, is_sampled, out, state: Mutex::default() }
    }

    /// Takes whole lines.
    pub(crate) fn take(&self, lines: &str, urgency: Urgency) {
        let mut state = lock(&self.state);
        state.gathered.extend_from_slice(lines.as_bytes());
        if !state.is_gathering || urgency == Urgency::AtOnce || state.gathered.len() >= ENOUGH_BYTES {
            self.write(&mut state);
        }
    }

    /// Takes a line that is written only if the invocation fails.
    pub(crate) fn keep(&self, line: String) {
        let mut state = lock(&self.state);
        state.kept_bytes += line.len();
        state.kept.push_back(line);
        while state.kept_bytes > MAX_KEPT_BYTES
            && let Some(oldest) = state.kept.pop_front()
        {
            state.kept_bytes -= oldest.len();
        }
    }

    /// Lets the lines out that were kept.
    pub(crate) fn release(&self) {
        let mut state = lock(&self.state);
        state.kept_bytes = 0;
        let kept = std::mem::take(&mut state.kept);
        drop(state);
        for line in kept {
            self.take(&line, Urgency::Normal);
        }
    }

    /// The invocation has failed; says whether that is news.
    pub(crate) fn fail(&self) -> bool {
        self.release();
        !std::mem::replace(&mut lock(&self.state).has_failed, true)
    }

    /// Writes what is gathered so far.
    pub(crate) fn flush(&self) {
        self.write(&mut lock(&self.state));
    }

    /// Runs the invocation and writes its lines together.
    pub(crate) async fn gather<T>(&self, invocation: impl Future<Output = T>) -> T {
        let gathering = Gathering::begin(self);
        let mut invocation = pin!(invocation);
        loop {
            match timeout(LONGEST_WAIT, invocation.as_mut()).await {
                Ok(outcome) => {
                    drop(gathering);
                    return outcome;
                }
                Err(_elapsed) => self.flush(),
            }
        }
    }

    fn write(&self, state: &mut MutexGuard<'_, State>) {
        if !state.gathered.is_empty() {
            self.out.write(&state.gathered);
            state.gathered.clear();
            state.gathered.shrink_to(ENOUGH_BYTES);
        }
    }
}

/// Ends the gathering when it is dropped, by the end of the invocation, its panic or its cancellation.
struct Gathering<'l>(&'l InvocationLog);

impl<'l> Gathering<'l> {
    fn begin(log: &'l InvocationLog) -> Self {
        lock(&log.state).is_gathering = true;
        Self(log)
    }
}

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).is_gathering = false;
        self.0.flush();
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
