//! Sends each message to a URL.

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::{
    client::http::{HttpConnector, HttpConnectorSettings},
    http::{Request, Response},
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sluicegate::{clock::Clock, consumer::Received, delivery::RecordError, error_chain::error_chain};

use super::value::values;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Answers of this size are read to their end, so that the connection can be used again.
const MAX_ANSWER_BYTES: u64 = 65_536;
const SHOWN_CHARS: usize = 200;
/// What a header's value cannot hold as it is; `%` too, so that the encoding can be undone.
const IN_HEADERS: &AsciiSet = &CONTROLS.add(b'%');

/// One URL, and the connections to it.
pub(crate) struct Post<C = sluicegate::clock::SystemClock> {
    /// Without the login.
    url: String,
    login: Option<String>,
    headers: Vec<(String, String)>,
    connector: Connector,
    clock: C,
}

/// Reads an argument: `NAME: VALUE`.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("it is NAME: VALUE")?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
    let mut request = Request::empty();
    request.headers_mut().try_insert(name.clone(), value.clone()).map_err(|problem| problem.to_string())?;
    Ok((name, value))
}

impl<C> std::fmt::Debug for Post<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Reads an argument.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']));
    if has_host && Request::empty().set_uri(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("it must be a URL such as http://127.0.0.1:8080/jobs".to_owned())
    }
}

/// `http://user:password@host/` as the URL that is called and the header that the login is.
fn without_login(url: &str) -> (String, Option<String>) {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (login, host) = rest[..end].rsplit_once('@')?;
        let login: Vec<u8> = percent_decode_str(login).collect();
        let login = if login.contains(&b':') { login } else { [login, b":".to_vec()].concat() };
        Some((format!("{scheme}://{host}{}", &rest[end..]), format!("Basic {}", BASE64_STANDARD.encode(login))))
    };
    split().map_or_else(|| (url.to_owned(), None), |(url, login)| (url, Some(login)))
}

impl<C: Clock> Post<C> {
    pub(crate) fn new(url: &str, headers: Vec<(String, String)>, clock: C) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let tls = Provider::Rustls(CryptoMode::Ring);
        let connector = Connector::builder().connector_settings(settings).tls_provider(tls).build();
        let (url, login) = without_login(url);
        Self { url, login, headers, connector, clock }
    }

    pub(super) async fn run(&self, received: Received<'_>) -> Result<(), RecordError> {
        let request = self.request(received).map_err(RecordError::retry)?;
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|error| RecordError::retry(error_chain(&error)))?;
        let status = answer.status().as_u16();
        let retry_after = self.retry_after(&answer);
        let text = text(answer).await;
        verdict(status, retry_after, &text)
    }

    fn request(&self, received: Received<'_>) -> Result<Request, Box<dyn std::error::Error + Send + Sync>> {
        let body = &received.record.body;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
        let mut request = Request::new(SdkBody::from(body.as_str()));
        request.set_method("POST")?;
        request.set_uri(self.url.as_str())?;
        let headers = request.headers_mut();
        headers.try_insert("content-type", if is_json { "application/json" } else { "text/plain; charset=utf-8" })?;
        headers.try_insert("content-length", body.len().to_string())?;
        if let Some(login) = &self.login {
            headers.try_insert("authorization", login.clone())?;
        }
        headers.try_insert("user-agent", concat!("sluice/", env!("CARGO_PKG_VERSION")))?;
        for (name, value) in self.headers.iter().cloned() {
            headers.try_insert(name, value)?;
        }
        for (name, value) in values(received) {
            let name = format!("sluice-{}", name.to_ascii_lowercase().replace('_', "-"));
            headers.try_insert(name, utf8_percent_encode(&value, IN_HEADERS).to_string())?;
        }
        Ok(request)
    }

    fn retry_after(&self, answer: &Response) -> Option<Duration> {
        let text = answer.headers().get("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        // What is past is now.
        Some(until.duration_since(self.clock.now()).unwrap_or_default())
    }
}

/// The beginning of an answer's text, of a short one.
async fn text(answer: Response) -> String {
    let is_short = |length: &str| length.parse().is_ok_and(|length: u64| length <= MAX_ANSWER_BYTES);
    if !answer.headers().get("content-length").is_some_and(is_short) {
        return String::new();
    }
    let bytes = ByteStream::new(answer.into_body()).collect().await;
    let bytes = bytes.map(aws_smithy_types::byte_stream::AggregatedBytes::into_bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().chars().take(SHOWN_CHARS).collect()
}

/// What a status says of the message. 401, 403, 404 and the like speak of the address or the key, not of the message:
/// one wrong flag must not send a whole queue to its dead letters.
fn verdict(status: u16, retry_after: Option<Duration>, text: &str) -> Result<(), RecordError> {
    let reason = if text.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {text}") };
    match (status, retry_after) {
        (200..=299, _) => Ok(()),
        (400 | 410 | 413 | 415 | 422, _) => Err(RecordError::reject(reason)),
        (_, Some(delay)) => Err(RecordError::retry_after(delay, reason)),
        (_, None) => Err(RecordError::retry(reason)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use sluicegate::delivery::Disposition;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{
        super::value::tests::{queue, record},
        *,
    };

    #[test]
    fn a_url_is_http_or_https_with_a_host() {
        assert!(url("http://127.0.0.1:8080/jobs?x=1").is_ok() && url("https://example.com").is_ok());
        for text in ["", "jobs", "ftp://example.com", "http://", "http:///jobs", "https://:80/", "http://a b/"] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        assert_eq!(header("X-A: b: c"), Ok(("x-a".to_owned(), "b: c".to_owned())));
        assert!(["x", ": x", "a b: c", "x: a\u{1}b"].iter().all(|text| header(text).is_err()));
    }

    #[test]
    fn a_login_is_a_header_and_no_part_of_the_url() {
        let split = |url: &str| without_login(url);
        assert_eq!(
            split("http://ada:s%40cret@127.0.0.1:8080/jobs?x=a@b"),
            ("http://127.0.0.1:8080/jobs?x=a@b".to_owned(), Some("Basic YWRhOnNAY3JldA==".to_owned()))
        );
        assert_eq!(split("https://token@example.com").1.as_deref(), Some("Basic dG9rZW46"));
        assert_eq!(split("https://example.com/@x"), ("https://example.com/@x".to_owned(), None));
    }

    #[test]
    fn a_status_speaks_of_the_message_or_of_something_else() {
        let disposition = |status, after| verdict(status, after, "").map_err(|error| error.disposition());
        let minute = Some(Duration::from_mins(1));
        for status in [200, 202, 204] {
            assert_eq!(disposition(status, None), Ok(()));
        }
        for status in [400, 410, 413, 415, 422] {
            assert_eq!(disposition(status, minute), Err(Disposition::Reject), "{status}");
        }
        for status in [301, 401, 403, 404, 408, 425, 429, 500, 502, 503] {
            assert_eq!(disposition(status, None), Err(Disposition::Retry(None)), "{status}");
            assert_eq!(disposition(status, minute), Err(Disposition::Retry(minute)), "{status}");
        }
    }

    /// Answers one request, and what it was.
    async fn serve(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jobs", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") {
                let mut part = [0; 4_096];
                let length = stream.read(&mut part).await.unwrap();
                asked.extend_from_slice(&part[..length]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, server)
    }

    async fn post(url: String) -> Result<(), Disposition> {
        let now = || -> SystemTime { UNIX_EPOCH + Duration::from_mins(24_090_208) };
        let mut record = record("{}");
        record.group_id = Some("rot 10% ü".to_owned());
        let received = Received { queue: &queue(), record: &record, sender_id: None };
        Post::new(&url, vec![header("X-Tenant: orchard").unwrap()], now)
            .run(received)
            .await
            .map_err(|error| error.disposition())
    }

    #[tokio::test]
    async fn the_body_is_posted_with_the_values_as_headers() {
        let (url, server) = serve("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(post(url).await, Ok(()));
        let asked = server.await.unwrap();
        assert!(asked.starts_with("POST /jobs HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n{}"), "{asked}");
        for header in [
            "content-type: application/json",
            "x-tenant: orchard",
            "sluice-message-id: m-1",
            "sluice-attribute-jobtype: NewDonor",
            "sluice-group-id: rot 10%25 %C3%BC",
        ] {
            assert!(asked.contains(header), "{header} in {asked}");
        }
    }

    #[tokio::test]
    async fn retry_after_is_honoured_in_seconds_and_as_a_date() {
        let (url, _server) = serve("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(post(url).await, Err(Disposition::Retry(Some(Duration::from_secs(7)))));
        let dated = "HTTP/1.1 503 Busy\r\nRetry-After: Wed, 21 Oct 2015 07:28:30 GMT\r\nContent-Length: 4\r\n\r\nbusy";
        let (url, _server) = serve(dated).await;
        assert_eq!(post(url).await, Err(Disposition::Retry(Some(Duration::from_secs(30)))));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_worth_another_try() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(post(url).await, Err(Disposition::Retry(None)));
    }
}
