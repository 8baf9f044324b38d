//! Objects: read into memory, up to a size, and written.

use aws_config::SdkConfig;
use aws_sdk_s3::{Client, config, operation::get_object::GetObjectError, primitives::ByteStream};

use super::{error::call_error, lazy::Lazy};
use crate::delivery::CallError;

/// S3.
///
/// The SDK's checksums stay on in both directions: an answer that was damaged on the way is a failed call, worth another
/// try, and not a damaged object. For a body in memory they cost no request and little time.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Lazy<Client>,
}

/// Which object to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRequest<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's name, decoded.
    pub key: &'a str,
    /// The eTag, as events have it (without quotes), of the only content wanted; `None` takes what is there now.
    pub e_tag: Option<&'a str>,
    /// The most bytes taken into memory.
    pub max_bytes: u64,
}

/// What S3 has for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectAnswer {
    /// The whole object.
    Found(Vec<u8>),
    /// No object has this key any more. S3 says so only to a caller that may list the bucket (`s3:ListBucket`);
    /// to others it denies access, which is a [`CallError`]. See
    /// [`GetObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
    Gone,
    /// The object has another eTag by now.
    Superseded,
    /// It has more bytes than were asked for; what had come of it was dropped.
    TooLarge,
}

/// Reads and writes objects, with one request each: what a function asks for, so that its tests need no S3.
pub trait ObjectStore: Send + Sync {
    /// Reads an object into memory. A body that ends early is an error worth another try.
    fn read(&self, wanted: &ObjectRequest<'_>) -> impl Future<Output = Result<ObjectAnswer, CallError>> + Send;

    /// Writes an object, over whatever has this key.
    fn write(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

impl S3Objects {
    /// Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Lazy::new(config, client) }
    }
}

impl ObjectStore for S3Objects {
    async fn read(&self, wanted: &ObjectRequest<'_>) -> Result<ObjectAnswer, CallError> {
        let get = self.client.get().get_object().bucket(wanted.bucket).key(wanted.key);
        let get = get.set_if_match(wanted.e_tag.map(|e_tag| format!("\"{e_tag}\"")));
        match Box::pin(get.send()).await {
            Ok(answer) if answer.content_length().is_some_and(|bytes| exceeds(bytes, wanted.max_bytes)) => {
                Ok(ObjectAnswer::TooLarge)
            }
            Ok(answer) => collect(answer.body, answer.content_length, wanted.max_bytes).await,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                Ok(ObjectAnswer::Gone)
            }
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == PRECONDITION_FAILED) => {
                Ok(ObjectAnswer::Superseded)
            }
            Err(error) => Err(call_error(error)),
        }
    }

    async fn write(&self, bucket: &str, key: &str, content_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        let put = self.client.get().put_object().bucket(bucket).key(key).content_type(content_type);
        Box::pin(put.body(ByteStream::from(content)).send()).await.map_err(call_error)?;
        Ok(())
    }
}

const PRECONDITION_FAILED: u16 = 412;

/// A client that finds buckets by path where an endpoint is configured: `<bucket>.127.0.0.1` is no host. An object takes
/// its time.
fn client(config: &SdkConfig) -> Client {
    let has_endpoint = config.endpoint_url().is_some();
    Client::from_conf(config::Builder::from(&super::patient(config)).force_path_style(has_endpoint).build())
}

/// Takes the body piece by piece, and no piece beyond the limit.
async fn collect(mut body: ByteStream, length: Option<i64>, max_bytes: u64) -> Result<ObjectAnswer, CallError> {
    let mut content = Vec::with_capacity(length.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default());
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| CallError { message: format!("reading: {error}"), is_transient: true })?;
        if exceeds(content.len() + piece.len(), max_bytes) {
            return Ok(ObjectAnswer::TooLarge);
        }
        content.extend_from_slice(&piece);
    }
    Ok(ObjectAnswer::Found(content))
}

fn exceeds(bytes: impl TryInto<u64>, max_bytes: u64) -> bool {
    bytes.try_into().is_ok_and(|bytes| bytes > max_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::answers;

    const WANTED: ObjectRequest<'_> =
        ObjectRequest { bucket: "uploads", key: "봄 1+1.jpg", e_tag: Some("d41d8cd9"), max_bytes: 5 };

    fn xml(code: &str) -> String {
        format!("<Error><Code>{code}</Code><Message>refused by the test</Message></Error>")
    }

    async fn read(status: u16, body: &str) -> Result<ObjectAnswer, CallError> {
        let (config, _) = answers(&[(status, body)]);
        S3Objects::new(&config).read(&WANTED).await
    }

    #[tokio::test]
    async fn an_object_is_read_whole_with_one_request_that_names_the_content_wanted() {
        let (config, replay) = answers(&[(200, "bytes")]);
        let answer = S3Objects::new(&config).read(&WANTED).await.unwrap();
        assert_eq!(answer, ObjectAnswer::Found(b"bytes".to_vec()));
        let requests: Vec<_> = replay.actual_requests().collect();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].headers().get("if-match"), Some("\"d41d8cd9\""));
        let url = requests[0].uri();
        assert!(
            url.starts_with("https://uploads.s3.us-east-1.amazonaws.com/%EB%B4%84%201%2B1.jpg"),
            "the key is encoded once: {url}"
        );
    }

    #[tokio::test]
    async fn an_object_with_more_bytes_than_asked_for_is_not_taken() {
        assert_eq!(read(200, "6 bytes").await.unwrap(), ObjectAnswer::TooLarge);
    }

    #[tokio::test]
    async fn a_key_that_is_gone_and_content_that_changed_are_answers() {
        assert_eq!(read(404, &xml("NoSuchKey")).await.unwrap(), ObjectAnswer::Gone);
        assert_eq!(read(412, &xml("PreconditionFailed")).await.unwrap(), ObjectAnswer::Superseded);
    }

    #[tokio::test]
    async fn a_bucket_that_is_gone_and_denied_access_are_errors() {
        for (status, code) in [(404, "NoSuchBucket"), (403, "AccessDenied")] {
            let error = read(status, &xml(code)).await.unwrap_err();
            assert_eq!((error.message.as_str(), error.is_transient), (&*format!("{code}: refused by the test"), false));
        }
    }

    #[tokio::test]
    async fn a_busy_service_is_worth_another_try() {
        assert!(read(503, &xml("SlowDown")).await.unwrap_err().is_transient);
    }

    #[tokio::test]
    async fn an_object_is_written_with_its_type_and_one_request() {
        let (config, replay) = answers(&[(200, "")]);
        S3Objects::new(&config).write("thumbnails", "a/b.png", "image/png", b"png".to_vec()).await.unwrap();
        let requests: Vec<_> = replay.actual_requests().collect();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method(), "PUT");
        assert_eq!(requests[0].headers().get("content-type"), Some("image/png"));
        assert_eq!(requests[0].body().bytes(), Some(&b"png"[..]));
    }

    #[tokio::test]
    async fn buckets_are_found_by_path_where_an_endpoint_is_configured() {
        let (config, replay) = answers(&[(200, "")]);
        let config = config.into_builder().endpoint_url("http://127.0.0.1:4566").build();
        S3Objects::new(&config).read(&WANTED).await.unwrap();
        let url = replay.actual_requests().next().unwrap().uri().to_owned();
        assert!(url.starts_with("http://127.0.0.1:4566/uploads/"), "{url}");
    }
}
