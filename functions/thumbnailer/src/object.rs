//! One object: whether it gets a thumbnail, how it gets it, and what may go wrong.

use sluicegate::{
    aws::s3::{ObjectAnswer, ObjectRequest, ObjectStore},
    delivery::{CallError, Disposition, RecordError},
    error_chain::error_chain,
    events::ObjectEvent,
};
use tokio::time::Instant;

use crate::{
    Thumbnails,
    easel::Panicked,
    thumbnail::{self, ImageProblem, Name, Thumbnail},
};

/// The suffixes that the queue's filter lets through, whatever their case.
const SUFFIXES: [&str; 5] = ["gif", "jpeg", "jpg", "png", "webp"];

/// Why an object gets no thumbnail, where it is none of the function's business.
pub(crate) fn unwanted(object: &ObjectEvent) -> Option<&'static str> {
    let suffix = object.key.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    if !object.may_be_new() {
        Some("not created")
    } else if !SUFFIXES.iter().any(|wanted| suffix.eq_ignore_ascii_case(wanted)) {
        Some("no suffix of an image")
    } else {
        None
    }
}

/// Why an object has no thumbnail yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the object is in the bucket of thumbnails: a thumbnail of it would notify again, for ever")]
    OwnBucket,
    #[error("more than {max_bytes} bytes")]
    TooLarge { max_bytes: u64 },
    #[error(transparent)]
    Image(#[from] ImageProblem),
    #[error("the decoder panicked")]
    Panicked,
    #[error("the object cannot be read")]
    Read(#[source] CallError),
    #[error("the thumbnail cannot be written")]
    Write(#[source] CallError),
}

impl Problem {
    /// Says whether another delivery could succeed. Access that is denied today may be given tomorrow: every call is
    /// worth another try, up to the queue's `maxReceiveCount`.
    fn disposition(&self) -> Disposition {
        match self {
            Self::Read(_) | Self::Write(_) => Disposition::Retry(None),
            Self::OwnBucket | Self::TooLarge { .. } | Self::Image(_) | Self::Panicked => Disposition::Reject,
        }
    }

    /// The record's error: the problem, then the object it is of. A dead letter's reason is cut at its end, and keys are
    /// long.
    pub(crate) fn of(&self, object: &ObjectEvent) -> RecordError {
        let text = format!("{}: {}/{}", error_chain(self), object.bucket, object.key);
        match self.disposition() {
            Disposition::Reject => RecordError::reject(text),
            Disposition::Retry(_) | Disposition::Later(_) => RecordError::retry(text),
        }
    }
}

impl From<Panicked> for Problem {
    fn from(_: Panicked) -> Self {
        Self::Panicked
    }
}

impl<O: ObjectStore> Thumbnails<O> {
    /// Reads an object, makes its thumbnail and writes it: two requests. Done twice, it writes the same bytes.
    pub(crate) async fn make(&self, object: &ObjectEvent) -> Result<(), Problem> {
        let started = Instant::now();
        if object.bucket == self.config.thumbnail_bucket {
            return Err(Problem::OwnBucket);
        }
        // Before the object is read: what waits for its place takes no memory.
        let place = self.easel.place().await;
        let Some(file) = self.read(object).await? else { return Ok(()) };
        let bounds = self.config.bounds;
        let thumbnail = place.work(move || thumbnail::make(&file, bounds)).await??;
        let Thumbnail { format, content, size, original_size } = thumbnail;
        let thumbnail_bytes = content.len();
        self.objects
            .write(&self.config.thumbnail_bucket, &object.key, format.to_mime_type(), content)
            .await
            .map_err(Problem::Write)?;
        tracing::info!(
            bucket.name = %object.bucket,
            object.key = %object.key,
            object.size_bytes = object.size_bytes,
            image.format = %Name(format),
            image.width = original_size.0,
            image.height = original_size.1,
            thumbnail.width = size.0,
            thumbnail.height = size.1,
            thumbnail.size_bytes = thumbnail_bytes,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "thumbnail made"
        );
        Ok(())
    }

    /// The bytes the event is about. `None` where there is nothing left to do: the object is gone, or was replaced, and
    /// then that has an event of its own.
    async fn read(&self, object: &ObjectEvent) -> Result<Option<Vec<u8>>, Problem> {
        let max_bytes = self.config.max_object_bytes;
        if object.size_bytes.is_some_and(|bytes| bytes > max_bytes) {
            return Err(Problem::TooLarge { max_bytes });
        }
        let wanted =
            ObjectRequest { bucket: &object.bucket, key: &object.key, e_tag: object.e_tag.as_deref(), max_bytes };
        match self.objects.read(&wanted).await.map_err(Problem::Read)? {
            ObjectAnswer::Found(file) => return Ok(Some(file)),
            ObjectAnswer::TooLarge => return Err(Problem::TooLarge { max_bytes }),
            ObjectAnswer::Gone => {
                tracing::info!(bucket.name = %object.bucket, object.key = %object.key, "object gone");
            }
            ObjectAnswer::Superseded => {
                tracing::info!(bucket.name = %object.bucket, object.key = %object.key, "object superseded");
            }
        }
        Ok(None)
    }
}

/// What becomes of a record with several objects: it is done when all of them are, and what is worth another delivery
/// comes before what is not.
#[derive(Debug, Default)]
pub(crate) struct Verdict(Option<RecordError>);

impl Verdict {
    pub(crate) fn add(&mut self, outcome: Result<(), RecordError>) {
        if let Err(error) = outcome
            && self.0.as_ref().is_none_or(|known| urgency(&error) > urgency(known))
        {
            self.0 = Some(error);
        }
    }

    pub(crate) fn result(self) -> Result<(), RecordError> {
        self.0.map_or(Ok(()), Err)
    }
}

fn urgency(error: &RecordError) -> u8 {
    match error.disposition() {
        Disposition::Reject => 0,
        Disposition::Later(_) => 1,
        Disposition::Retry(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_another_delivery_comes_before_what_is_not() {
        let mut verdict = Verdict::default();
        verdict.add(Ok(()));
        verdict.add(Err(RecordError::reject("broken")));
        verdict.add(Err(RecordError::retry("busy")));
        verdict.add(Err(RecordError::reject("broken too")));
        assert_eq!(verdict.result().unwrap_err().to_string(), "busy");
    }
}
