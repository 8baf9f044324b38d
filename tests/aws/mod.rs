//! The AWS that built functions call: SQS and Lambda on loopback, just enough of them, every request counted.
//!
//! SQS speaks its JSON protocol (the operation is in `X-Amz-Target`), Lambda REST. A long poll is answered at once: the
//! functions judge by the wait they asked for.

mod queue;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use hyper::{Request, Response, body::Bytes};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) use self::queue::Queue;
use crate::{
    http::{self, Server},
    lambda::{Answer, LIMIT, Lambda},
};

/// The endpoint. Dropping it closes the port.
pub(crate) struct Aws {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    calls: Mutex<Vec<Call>>,
    called: Notify,
    queue: Mutex<Queue>,
    faults: Mutex<HashMap<String, Fault>>,
    worker: OnceLock<Arc<Lambda>>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `ReceiveMessage`, `Invoke`, …
    pub(crate) operation: String,
    pub(crate) input: Value,
    pub(crate) bytes: usize,
    /// The trace it belongs to, as its header says.
    pub(crate) trace: Option<String>,
}

/// What is wrong with an operation.
#[derive(Clone)]
enum Fault {
    Refused { status: u16, code: &'static str },
    Unanswered,
}

impl Aws {
    /// One queue, which every queue URL means, holding `messages` bodies.
    pub(crate) async fn start(bodies: impl IntoIterator<Item = String>) -> Self {
        let state = Arc::new(State { queue: Mutex::new(Queue::holding(bodies)), ..State::default() });
        let shared = state.clone();
        let server = Server::start(move |request| answer(shared.clone(), request)).await;
        Self { server, state }
    }

    /// What goes into `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Invocations go to this function from now on.
    pub(crate) fn invokes(&self, worker: Lambda) {
        assert!(self.state.worker.set(Arc::new(worker)).is_ok(), "one worker");
    }

    /// Answers an operation with an error from now on. A status below 500 that is no throttling is not retried by the SDK.
    pub(crate) fn refuses(&self, operation: &str, status: u16, code: &'static str) {
        self.state.faults.lock().unwrap().insert(operation.to_owned(), Fault::Refused { status, code });
    }

    /// Takes an operation's requests and never answers them, from now on.
    pub(crate) fn leaves_unanswered(&self, operation: &str) {
        self.state.faults.lock().unwrap().insert(operation.to_owned(), Fault::Unanswered);
    }

    /// The requests for this operation, in order.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Call> {
        let calls = self.state.calls.lock().unwrap();
        calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// The requests of every kind, in order.
    pub(crate) fn all_calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// How many requests there were, of every kind.
    pub(crate) fn count(&self) -> usize {
        self.state.calls.lock().unwrap().len()
    }

    /// The entries of every batch call of this operation, in order.
    pub(crate) fn entries(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls(operation);
        calls.iter().flat_map(|call| call.input["Entries"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// The queue as it is now.
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.state.queue.lock().unwrap()
    }

    /// Waits until the queue is as it should be.
    pub(crate) async fn queue_becomes(&self, what: &str, condition: impl Fn(&Queue) -> bool) {
        self.called_until(what, || condition(&self.queue())).await;
    }

    /// Waits until so much was called that this holds.
    pub(crate) async fn called_until(&self, what: &str, condition: impl Fn() -> bool) {
        let waiting = async {
            loop {
                let called = self.state.called.notified();
                if condition() {
                    return;
                }
                called.await;
            }
        };
        let became = tokio::time::timeout(LIMIT, waiting).await;
        assert!(became.is_ok(), "not {what} within {LIMIT:?}: {:?}", self.queue());
    }
}

async fn answer(state: Arc<State>, request: Request<Bytes>) -> http::Answer {
    let operation = operation(&request);
    let input: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let bytes = request.body().len();
    let trace = request.headers().get("x-amzn-trace-id").map(|header| header.to_str().unwrap().to_owned());
    state.calls.lock().unwrap().push(Call { operation: operation.clone(), input: input.clone(), bytes, trace });
    let fault = state.faults.lock().unwrap().get(&operation).cloned();
    let answer = match (fault, operation.as_str()) {
        (Some(Fault::Refused { status, code }), _) => refuse(status, code),
        (Some(Fault::Unanswered), _) => std::future::pending().await,
        (None, "Invoke") => invoke(&state, &request).await,
        (None, _) => match state.queue.lock().unwrap().answer(&operation, &input) {
            Some(output) => http::json(200, output.to_string()),
            None => refuse(400, "InvalidAction"),
        },
    };
    state.called.notify_waiters();
    answer
}

fn operation(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.rsplit('.').next()) {
        Some(operation) => operation.to_owned(),
        None if request.uri().path().ends_with("/invocations") => "Invoke".to_owned(),
        None => request.uri().path().to_owned(),
    }
}

/// An error in the words of both protocols.
fn refuse(status: u16, code: &str) -> http::Answer {
    let body = json!({"__type": code, "message": "refused by the test", "Message": "refused by the test"});
    let mut answer = http::json(status, body.to_string());
    answer.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
    answer
}

/// Hands the payload to the worker; an event is taken at once, as Lambda's own queue does.
async fn invoke(state: &Arc<State>, request: &Request<Bytes>) -> http::Answer {
    let worker = state.worker.get().expect("a worker to invoke").clone();
    let payload = request.body().clone();
    let work = {
        let state = state.clone();
        async move {
            let invoked = worker.invoke(payload).await;
            state.called.notify_waiters();
            invoked.answer
        }
    };
    if request.headers().get("x-amz-invocation-type").is_some_and(|kind| kind == "Event") {
        tokio::spawn(work);
        return http::json(202, "");
    }
    let (body, failed) = match work.await {
        Answer::Response(response) => (response, false),
        Answer::Error { kind, message } => (json!({"errorType": kind, "errorMessage": message}), true),
    };
    let answer = Response::builder().status(200);
    let answer = if failed { answer.header("x-amz-function-error", "Unhandled") } else { answer };
    answer.body(http_body_util::Full::new(Bytes::from(body.to_string()))).unwrap()
}
