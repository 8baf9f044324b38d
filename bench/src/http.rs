//! HTTP/1.1, as much of it as the bench's two servers need.
//!
//! Written by hand and blocking, a thread a connection: what the driver costs is in every figure, the bare echo's too,
//! and this costs two system calls an exchange.

use std::io::{self, BufRead, Write};

/// Longer than any request of a function or of a peer.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A request with its whole body.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// `X-Amz-Target`: the operation, where the protocol names it in a header.
    pub(crate) target: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection; `None` where the client has hung up between two.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(line) = read_line(stream)? else { return Ok(None) };
        let mut words = line.split(' ').map(ToOwned::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Err(malformed(&line)) };
        let mut request = Self { method, path, ..Self::default() };
        let mut length = 0;
        loop {
            let line = read_line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(|_| malformed(&line))?,
                "transfer-encoding" => return Err(malformed(&line)),
                "x-amz-target" => request.target = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        if length > BODY_LIMIT {
            return Err(malformed("a body over the limit"));
        }
        request.body.resize(length, 0);
        stream.read_exact(&mut request.body)?;
        Ok(Some(request))
    }
}

/// A line without its end; `None` at the end of the connection.
fn read_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::with_capacity(128);
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8(line).map_err(|_| malformed("a head that is not UTF-8"))?;
    Ok(Some(line.trim_end().to_owned()))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not understood: {what}"))
}

/// Writes an answer in one go. `headers` are whole lines, each with its end.
pub(crate) fn answer(stream: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    let mut answer = Vec::with_capacity(256 + headers.len() + body.len());
    write!(
        answer,
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    )?;
    answer.extend_from_slice(body);
    stream.write_all(&answer)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_each_other_on_one_connection() {
        let mut stream = io::Cursor::new(
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\n\r\n\
             POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: 2\r\n\r\n{}",
        );
        let first = Request::read(&mut stream).unwrap().unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str()), ("GET", "/2018-06-01/runtime/invocation/next"));
        let second = Request::read(&mut stream).unwrap().unwrap();
        assert_eq!((second.target.as_deref(), second.body.as_slice()), (Some("AmazonSQS.ReceiveMessage"), &b"{}"[..]));
        assert!(Request::read(&mut stream).unwrap().is_none(), "the client has hung up");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for text in ["GET\r\n\r\n", "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "GET / HTTP/1.1\r\nhost"] {
            assert!(Request::read(&mut io::Cursor::new(text)).is_err(), "{text:?}");
        }
    }
}
