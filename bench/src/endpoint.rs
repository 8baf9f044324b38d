//! The AWS that measured functions call: a queue and a worker on loopback, plain or with TLS, every request counted.
//!
//! SQS speaks its JSON protocol (the operation is in `X-Amz-Target`), Lambda and S3 REST. It does as little as can be
//! done for an answer, so that what is measured is the function. A long poll is answered at once: the functions judge
//! by the wait they asked for.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::{self, Request};

/// What a body of the queue's messages is: as long as a small job.
const BODY: &str = r#"{\"id\":\"donor-0001\",\"name\":\"Ada Quill\",\"amount_cents\":2500,\"city\":\"Leeds\"}"#;

/// What every S3 object is: an image of one pixel.
const OBJECT: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The endpoint. Its threads end with the process: the bench has two or three.
pub(crate) struct Endpoint {
    address: SocketAddr,
    tls: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    left: usize,
    given: usize,
    requests: BTreeMap<String, usize>,
}

impl Endpoint {
    /// Over plain HTTP.
    pub(crate) fn plain() -> Result<Self> {
        Self::start(None)
    }

    /// Over TLS, with this certificate.
    pub(crate) fn tls(config: Arc<ServerConfig>) -> Result<Self> {
        Self::start(Some(config))
    }

    fn start(tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the endpoint")?;
        let endpoint = Self { address: listener.local_addr()?, tls: tls.is_some(), state: Arc::default() };
        let state = endpoint.state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, tls) = (state.clone(), tls.clone());
                // A function may hang up at any time: one that is killed does.
                std::thread::spawn(move || serve(stream, tls, &state));
            }
        });
        Ok(endpoint)
    }

    /// What goes into `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// From now on the queue holds this many messages, and requests are counted from 0.
    pub(crate) fn holds(&self, messages: usize) {
        let mut state = lock(&self.state);
        (state.left, state.given) = (messages, 0);
        state.requests.clear();
    }

    /// By operation: how many requests there were.
    pub(crate) fn requests(&self) -> BTreeMap<String, usize> {
        lock(&self.state).requests.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => exchange(BufReader::new(stream), state),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            exchange(BufReader::new(StreamOwned::new(connection, stream)), state)
        }
    }
}

fn exchange(mut stream: BufReader<impl Read + Write>, state: &Mutex<State>) -> io::Result<()> {
    while let Some(request) = Request::read(&mut stream)? {
        let operation = operation(&request);
        let (status, body) = answer(state, &operation);
        http::answer(stream.get_mut(), status, "", &body)?;
    }
    Ok(())
}

fn operation(request: &Request) -> String {
    match &request.target {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None if request.path.ends_with("/invocations") => "Invoke".to_owned(),
        None => request.method.clone(),
    }
}

fn answer(state: &Mutex<State>, operation: &str) -> (u16, Vec<u8>) {
    let mut state = lock(state);
    *state.requests.entry(operation.to_owned()).or_default() += 1;
    match operation {
        "ReceiveMessage" => (200, state.receive().into_bytes()),
        "Invoke" => (202, Vec::new()),
        "GET" => (200, OBJECT.to_vec()),
        "PUT" | "HEAD" => (200, Vec::new()),
        // Batches of deletes and of visibility: no entry failed.
        _ => (200, br#"{"Successful":[],"Failed":[]}"#.to_vec()),
    }
}

impl State {
    /// Up to ten messages, as SQS sends them.
    fn receive(&mut self) -> String {
        let ten = self.left.min(10);
        let mut answer = String::with_capacity(64 + ten * 900);
        answer.push_str(r#"{"Messages":["#);
        for index in 0..ten {
            let number = self.given + index;
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(
                answer,
                r#"{comma}{{"MessageId":"5b78027d-b705-4dfc-873b-{number:012}","ReceiptHandle":"{}{number:012}","Body":"{BODY}","MD5OfBody":"0a0ddbec133f4f0d16f3501ebe352610","Attributes":{{"ApproximateReceiveCount":"1","SentTimestamp":"1741944453589","SenderId":"AIDAIENQZJOLO23YVJ4VO","ApproximateFirstReceiveTimestamp":"1741944453600"}},"MessageAttributes":{{"JobType":{{"StringValue":"NewDonor","DataType":"String"}}}}}}"#,
                // As long as those of SQS.
                "AQEB".repeat(90)
            );
        }
        answer.push_str("]}");
        (self.left, self.given) = (self.left - ten, self.given + ten);
        answer
    }
}
