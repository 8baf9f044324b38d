//! One request to a server on this machine, and its JSON answer.

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1, http::request::Builder};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Sends a request to `address` (`127.0.0.1:…`) on a connection of its own.
pub(crate) async fn ask(address: &str, request: Builder, body: &str) -> Value {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request: Request<Full<Bytes>> =
        request.header("host", address).body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    connection.abort();
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{address} answered no JSON ({error}): {body:?}"))
}
