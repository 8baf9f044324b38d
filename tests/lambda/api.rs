//! Lambda's Runtime API, as much of it as a runtime uses.
//!
//! See [the Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use http_body_util::Full;
use hyper::{Method, Request, Response, body::Bytes};
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use crate::http::{self, Server};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";

/// What a function said to an event.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Response(Value),
    Error { kind: String, message: String },
}

/// An invocation that was answered.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) request_id: String,
    /// The X-Ray trace that Lambda said it belongs to.
    pub(crate) trace: String,
    pub(crate) answer: Answer,
}

impl Invoked {
    /// The response, where it is one.
    pub(crate) fn response(&self) -> &Value {
        match &self.answer {
            Answer::Response(response) => response,
            Answer::Error { kind, message } => panic!("the invocation failed with {kind}: {message}"),
        }
    }

    /// Kind and message of the error, where it is one.
    pub(crate) fn error(&self) -> (&str, &str) {
        match &self.answer {
            Answer::Response(response) => panic!("the invocation succeeded with {response}"),
            Answer::Error { kind, message } => (kind, message),
        }
    }
}

/// The API of one function.
pub(crate) struct RuntimeApi {
    server: Server,
    events: mpsc::UnboundedSender<Event>,
    waiting: Waiting,
    invocations: AtomicU32,
    cannot_start: Arc<Mutex<Option<String>>>,
}

struct Event {
    request_id: String,
    trace: String,
    payload: Bytes,
    deadline: SystemTime,
}

/// By request id: who waits for the answer.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Answer>>>>;

impl RuntimeApi {
    pub(crate) async fn start() -> Self {
        let (events, next) = mpsc::unbounded_channel();
        let (next, waiting) = (Arc::new(AsyncMutex::new(next)), Waiting::default());
        let (answers, cannot_start) = (waiting.clone(), Arc::<Mutex<Option<String>>>::default());
        let told = cannot_start.clone();
        let server = Server::start(move |request| {
            let (next, answers, told) = (next.clone(), answers.clone(), told.clone());
            async move {
                match (request.method(), request.uri().path().strip_prefix(INVOCATION)) {
                    (&Method::GET, Some("next")) => next_event(&next).await,
                    (&Method::POST, Some(answered)) => take_answer(&answers, answered, &request),
                    (&Method::POST, None) if request.uri().path() == INIT_ERROR => {
                        let error: Value = serde_json::from_slice(request.body()).unwrap();
                        *told.lock().unwrap() = error["errorMessage"].as_str().map(ToOwned::to_owned);
                        http::json(202, "{}")
                    }
                    _ => http::json(404, "{}"),
                }
            }
        })
        .await;
        Self { server, events, waiting, invocations: AtomicU32::new(0), cannot_start }
    }

    pub(crate) fn address(&self) -> String {
        self.server.address()
    }

    /// Why the function said that it cannot start.
    pub(crate) fn cannot_start(&self) -> Option<String> {
        self.cannot_start.lock().unwrap().clone()
    }

    /// Has the function asked to handle an event, after those that wait already.
    pub(crate) async fn invoke(&self, payload: Bytes, deadline: SystemTime) -> Invoked {
        let number = self.invocations.fetch_add(1, Ordering::Relaxed) + 1;
        let request_id = format!("request-{number}");
        let trace = format!("Root=1-5759e988-{number:024x};Parent=53995c3f42cd8ad8;Sampled=1");
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap().insert(request_id.clone(), sender);
        self.events.send(Event { request_id: request_id.clone(), trace: trace.clone(), payload, deadline }).unwrap();
        Invoked { answer: answer.await.unwrap(), request_id, trace }
    }
}

async fn next_event(events: &AsyncMutex<mpsc::UnboundedReceiver<Event>>) -> http::Answer {
    let Some(event) = events.lock().await.recv().await else { return std::future::pending().await };
    let deadline_ms = event.deadline.duration_since(UNIX_EPOCH).unwrap().as_millis();
    Response::builder()
        .header("lambda-runtime-aws-request-id", &event.request_id)
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:tested")
        .header("lambda-runtime-trace-id", &event.trace)
        .body(Full::new(event.payload))
        .unwrap()
}

/// Takes `POST <request id>/response` and `POST <request id>/error`.
fn take_answer(waiting: &Waiting, path: &str, request: &Request<Bytes>) -> http::Answer {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let (request_id, answer) = match path.split_once('/') {
        Some((id, "response")) => (id, Answer::Response(body)),
        Some((id, "error")) => (id, Answer::Error { kind: text("errorType"), message: text("errorMessage") }),
        _ => return http::json(404, "{}"),
    };
    match waiting.lock().unwrap().remove(request_id) {
        Some(sender) => {
            // Nobody waits any more where the test is over.
            let _ = sender.send(answer);
            http::json(202, r#"{"status":"OK"}"#)
        }
        None => http::json(400, r#"{"errorType":"InvalidRequestID","errorMessage":"unknown or answered"}"#),
    }
}
