//! Answers of a Firehose transformation: every record once, within the size that Firehose takes.

use std::{borrow::Cow, cell::Cell, io};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{fate::Fate, pass::pass};
use crate::{
    deadline::Deadline,
    events::{FirehoseRecord, MalformedFirehoseRecord},
    record_error::RecordError,
};

/// The most bytes of JSON in an answer. Lambda takes 6,291,556, and AWS's text on Firehose says 6 MB: the smaller of the
/// two readings.
pub const MAX_RESPONSE_BYTES: usize = 6_000_000;

/// Records at work at the same time, where a handler waits for something.
const CONCURRENCY: usize = 10;

/// What a handler makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transformed {
    /// The bytes to deliver in its place. Firehose puts nothing between records: a line ends with its own newline.
    Body(Vec<u8>),
    /// Nothing: it was left out on purpose.
    Dropped,
}

/// What became of a record, in Firehose's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TransformationResult {
    /// It goes to the destination.
    Ok,
    /// It goes nowhere, on purpose.
    Dropped,
    /// It goes to the error prefix.
    ProcessingFailed,
}

/// One record of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransformedRecord<'a> {
    /// As in the event.
    pub record_id: String,
    /// What became of it.
    pub result: TransformationResult,
    /// In base64: the transformed bytes, the original of a failed record, nothing of a dropped one.
    pub data: Cow<'a, str>,
}

/// The answer to Firehose: every record of the event once, in its order. See
/// [Required parameters](https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TransformationResponse<'a> {
    /// The records.
    pub records: Vec<TransformedRecord<'a>>,
}

impl TransformationResponse<'_> {
    /// The same answer, independent of the event: originals are copied.
    #[must_use]
    pub fn into_owned(self) -> TransformationResponse<'static> {
        let owned = |record: TransformedRecord<'_>| TransformedRecord {
            record_id: record.record_id,
            result: record.result,
            data: Cow::Owned(record.data.into_owned()),
        };
        TransformationResponse { records: self.records.into_iter().map(owned).collect() }
    }

    /// How many records of the answer have this result.
    #[must_use]
    pub fn count(&self, result: TransformationResult) -> usize {
        self.records.iter().filter(|record| record.result == result).count()
    }
}

/// What became of a batch that was to be transformed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Transformation<'a> {
    /// What Firehose is told.
    pub response: TransformationResponse<'a>,
    /// Why records failed: their places in the answer, ascending.
    pub failures: Vec<(usize, RecordError)>,
    /// Failed records whose original did not fit into the answer.
    pub without_data: usize,
}

/// Runs the handler over a batch and makes the answer: every record of it once, in its order.
///
/// - Errors, panics and time-outs belong to their record. It is answered as `ProcessingFailed`, with its original data.
///   Firehose tries no record again, whatever the error says of another delivery. Failing the invocation instead would
///   have the whole batch transformed again, and after three tries fail all of it.
/// - A record that is not begun by the deadline is answered as failed too.
/// - The answer stays within [`MAX_RESPONSE_BYTES`], as one that Lambda refuses would fail every record. What is
///   delivered comes first; a transformed record for which there is no room is answered as failed. The originals of failed
///   records take the room that is left, and those for which there is none are answered without data, and counted.
///
/// Firehose keeps failed records under the destination's error prefix, with their bytes. See
/// [Handle failure](https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html).
pub async fn transform<'a, H>(
    batch: Vec<Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>>>,
    deadline: Deadline,
    handler: &H,
) -> Transformation<'a>
where
    H: AsyncFn(&FirehoseRecord<'a>) -> Result<Transformed, RecordError>,
{
    let records: Vec<Waiting<'a>> = batch.into_iter().map(|record| Waiting { record, body: Cell::new(None) }).collect();
    let work = async |waiting: &Waiting<'a>| {
        let record = waiting.record.as_ref().map_err(|malformed| RecordError::reject(malformed.problem.to_string()))?;
        match handler(record).await? {
            Transformed::Body(body) => waiting.body.set(Some(BASE64_STANDARD.encode(body))),
            Transformed::Dropped => {}
        }
        Ok::<(), RecordError>(())
    };
    let outcomes = pass(&records, |_| None, CONCURRENCY, deadline, work).await;
    let ended = records.into_iter().zip(outcomes).map(|(waiting, outcome)| waiting.ended(outcome.fate)).collect();
    answer(ended, MAX_RESPONSE_BYTES)
}

/// A record, and the place for what it becomes.
struct Waiting<'a> {
    record: Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>>,
    /// In base64; none for a dropped record.
    body: Cell<Option<String>>,
}

impl<'a> Waiting<'a> {
    fn ended(self, fate: Fate) -> Ended<'a> {
        let outcome = match fate {
            Fate::Done | Fate::Duplicate => Ok(self.body.into_inner()),
            Fate::Retry(error) | Fate::Rejected(error) => Err(error),
            _ => Err(RecordError::retry("not begun: the invocation's time was over")),
        };
        let (record_id, original) = match self.record {
            Ok(record) => (record.record_id, record.encoded),
            Err(malformed) => (malformed.record_id, malformed.encoded),
        };
        Ended { record_id, original, outcome }
    }
}

/// A record that is not answered yet.
struct Ended<'a> {
    record_id: String,
    original: Cow<'a, str>,
    /// The bytes to deliver, in base64; `None` for a dropped record.
    outcome: Result<Option<String>, RecordError>,
}

/// Answers every record within `limit` bytes: what is delivered first, then as many originals of failed records as there
/// is room for.
fn answer(ended: Vec<Ended<'_>>, limit: usize) -> Transformation<'_> {
    let mut answer = Answer::within(limit);
    for Ended { record_id, outcome, .. } in &ended {
        let is_dropped = matches!(outcome, Ok(None));
        answer.push(
            record_id.clone(),
            if is_dropped { TransformationResult::Dropped } else { TransformationResult::ProcessingFailed },
        );
    }
    let (mut failures, mut originals) = (Vec::new(), Vec::new());
    for (place, Ended { original, outcome, .. }) in ended.into_iter().enumerate() {
        let failure = match outcome {
            Ok(None) => continue,
            Ok(Some(body)) => {
                if answer.replace(place, TransformationResult::Ok, Cow::Owned(body)) {
                    continue;
                }
                RecordError::reject(format!("transformed, the answer would be larger than {limit} bytes"))
            }
            Err(error) => error,
        };
        failures.push((place, failure));
        originals.push((place, original));
    }
    let mut without_data = 0;
    for (place, original) in originals {
        if !original.is_empty() && !answer.replace(place, TransformationResult::ProcessingFailed, original) {
            without_data += 1;
        }
    }
    Transformation { response: TransformationResponse { records: answer.records }, failures, without_data }
}

/// An answer that knows how large it is.
struct Answer<'a> {
    records: Vec<TransformedRecord<'a>>,
    bytes: usize,
    limit: usize,
}

impl<'a> Answer<'a> {
    fn within(limit: usize) -> Self {
        Self { records: Vec::new(), bytes: bytes_of(&TransformationResponse::default()), limit }
    }

    fn push(&mut self, record_id: String, result: TransformationResult) {
        let record = TransformedRecord { record_id, result, data: Cow::Borrowed("") };
        self.bytes += bytes_of(&record) + 1; // the comma before it
        self.records.push(record);
    }

    /// Gives a record another result and other data, if there is room for them.
    fn replace(&mut self, place: usize, result: TransformationResult, data: Cow<'a, str>) -> bool {
        let record = &mut self.records[place];
        let others = self.bytes - bytes_of(record);
        let old = std::mem::replace(&mut record.data, data);
        let old_result = std::mem::replace(&mut record.result, result);
        let bytes = others + bytes_of(record);
        if bytes > self.limit {
            record.data = old;
            record.result = old_result;
            return false;
        }
        self.bytes = bytes;
        true
    }
}

/// How long a value is as JSON.
fn bytes_of(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A counter takes everything, and these types have no value that JSON cannot hold.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

#[cfg(test)]
mod tests;
