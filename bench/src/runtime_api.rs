//! Lambda's Runtime API for one process, which takes the times itself.
//!
//! The thread that writes an event is the one that reads its answer: no other thread is waked inside a measured trip.
//! See [the Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::{
    io::{self, BufReader},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use sluicegate::clock::{Clock, SystemClock};

use crate::http::{self, Request};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

/// What a function is told it has for an event: more than any measurement takes.
const TIME_FOR_AN_EVENT: Duration = Duration::from_mins(15);

/// The API; dropping it hangs up, which ends the process that asks it.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the process first asked for an event.
    ready: Option<Instant>,
    order: Order,
    /// Since when an event is with the process.
    begun: Option<Instant>,
    sent: u64,
    took: Vec<Duration>,
    answer: Vec<u8>,
    failed: bool,
    closed: bool,
    connections: Vec<TcpStream>,
}

/// The same event some more times.
#[derive(Default, Clone)]
struct Order {
    event: Arc<[u8]>,
    left: usize,
}

/// What came of an event that was sent some times.
#[derive(Debug)]
pub(crate) struct Trips {
    /// From the first byte of the event written to the last byte of the answer read.
    pub(crate) took: Vec<Duration>,
    /// The last answer.
    pub(crate) answer: Vec<u8>,
}

impl RuntimeApi {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the Runtime API")?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.take(&stream).is_err() {
                    return;
                }
                let shared = accepting.clone();
                // A process may hang up at any time: at its end it does.
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// `127.0.0.1:…`
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits for the process to ask for its first event; when it did.
    pub(crate) fn ready(&self, limit: Duration) -> Result<Instant> {
        let state = self.wait(limit, |state| state.failed || state.ready.is_some());
        let state = state.context("it did not ask for an event")?;
        state.ready.context("it failed to start")
    }

    /// Sends an event `times` times, each after the answer to the one before.
    pub(crate) fn invoke(&self, event: &Arc<[u8]>, times: usize, limit: Duration) -> Result<Trips> {
        let mut state = self.shared.lock();
        state.took = Vec::with_capacity(times);
        state.order = Order { event: event.clone(), left: times };
        drop(state);
        self.shared.changed.notify_all();
        let mut state =
            self.wait(limit, |state| state.failed || state.took.len() == times).context("it did not answer")?;
        let trips = Trips { took: std::mem::take(&mut state.took), answer: std::mem::take(&mut state.answer) };
        if state.failed {
            bail!("it failed: {}", String::from_utf8_lossy(&trips.answer));
        }
        Ok(trips)
    }

    fn wait(&self, limit: Duration, until: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>> {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, limit, |state| !until(state));
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            bail!("nothing within {limit:?}");
        }
        Ok(state)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        for connection in state.connections.drain(..) {
            // It may be gone already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, stream: &TcpStream) -> io::Result<()> {
        let mut state = self.lock();
        if state.closed {
            return Err(io::ErrorKind::NotConnected.into());
        }
        stream.set_nodelay(true)?;
        state.connections.push(stream.try_clone()?);
        Ok(())
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
        while let Some(request) = Request::read(&mut reader)? {
            let now = Instant::now();
            match request.path.strip_prefix(INVOCATION) {
                Some("next") => {
                    let Some((number, event)) = self.next(now) else { return Ok(()) };
                    http::answer(&mut stream, 200, &invocation_headers(number), &event)?;
                }
                Some(answered) => {
                    self.answered(now, answered.ends_with("/error"), request.body);
                    http::answer(&mut stream, 202, "", br#"{"status":"OK"}"#)?;
                    self.changed.notify_all();
                }
                // `/2018-06-01/runtime/init/error`: the process could not start.
                None => {
                    self.answered(now, true, request.body);
                    http::answer(&mut stream, 202, "", br#"{"status":"OK"}"#)?;
                    self.changed.notify_all();
                }
            }
        }
        Ok(())
    }

    /// Waits for an event to send; `None` at the end.
    fn next(&self, now: Instant) -> Option<(u64, Arc<[u8]>)> {
        let mut state = self.lock();
        if state.ready.is_none() {
            state.ready = Some(now);
            self.changed.notify_all();
        }
        while state.order.left == 0 && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return None;
        }
        state.order.left -= 1;
        state.sent += 1;
        state.begun = Some(Instant::now());
        Some((state.sent, state.order.event.clone()))
    }

    fn answered(&self, now: Instant, failed: bool, answer: Vec<u8>) {
        let mut state = self.lock();
        if let Some(begun) = state.begun.take() {
            state.took.push(now - begun);
        }
        state.failed |= failed;
        state.answer = answer;
    }
}

fn invocation_headers(number: u64) -> String {
    let deadline = SystemClock.now() + TIME_FOR_AN_EVENT;
    let deadline_ms = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    format!(
        "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{number:012x}\r\n\
         lambda-runtime-deadline-ms: {deadline_ms}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:measured\r\n\
         lambda-runtime-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0\r\n"
    )
}
