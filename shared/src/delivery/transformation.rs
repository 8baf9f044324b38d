//! Answers of a Firehose transformation: every record once, within the size that Firehose takes.

use std::{borrow::Cow, cell::Cell, io};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{
    deadline::Deadline,
    fate::Fate,
    process::{Deliverable, Order, Plan, process},
    record_error::RecordError,
    retry::RetryPolicy,
};
use crate::events::{FirehoseRecord, MalformedFirehoseRecord};

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
pub struct Transformation<'a> {
    /// What Firehose is told.
    pub response: TransformationResponse<'a>,
    /// Why records failed: their places in the answer, ascending.
    pub failures: Vec<(usize, RecordError)>,
}

/// Runs the handler over a batch and makes the answer: every record of it once, in its order.
///
/// - Errors, panics and time-outs belong to their record. It is answered as `ProcessingFailed`, with its original data.
///   Firehose tries no record again, whatever the error says of another delivery. Failing the invocation instead would
///   have the whole batch transformed again, and after three tries fail all of it.
/// - A record that is not begun by the deadline is answered as failed too.
/// - The answer stays within [`MAX_RESPONSE_BYTES`], as one that Lambda refuses would fail every record. Originals fit
///   by construction: Firehose's own event held them all, with more around them. A transformed record for which the
///   originals of the others leave no room is answered as failed, with its original.
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
    let slots: Vec<Slot<'a>> = batch.into_iter().map(|record| Slot { record, body: Cell::new(None) }).collect();
    let plan = Plan { order: Order::None, concurrency: CONCURRENCY, deadline, retry: RetryPolicy::default() };
    let work = async |slot: &Slot<'a>| {
        let record = slot.record.as_ref().map_err(|malformed| RecordError::reject(malformed.problem.to_string()))?;
        match handler(record).await? {
            Transformed::Body(body) => slot.body.set(Some(BASE64_STANDARD.encode(body))),
            Transformed::Dropped => {}
        }
        Ok::<(), RecordError>(())
    };
    let outcomes = process(&slots, &plan, &work, &async |_: &Slot<'a>, _: &RecordError| false).await;
    let drafts = slots.into_iter().zip(outcomes).map(|(slot, outcome)| slot.draft(outcome.fate)).collect();
    answer(drafts, MAX_RESPONSE_BYTES)
}

/// A record, and the place for what it becomes.
struct Slot<'a> {
    record: Result<FirehoseRecord<'a>, MalformedFirehoseRecord<'a>>,
    /// In base64; none for a dropped record.
    body: Cell<Option<String>>,
}

/// Firehose knows no groups, and does not say how often it has tried.
impl Deliverable for Slot<'_> {
    fn group_id(&self) -> Option<&str> {
        None
    }

    fn receive_count(&self) -> u32 {
        1
    }
}

impl<'a> Slot<'a> {
    fn draft(self, fate: Fate) -> Draft<'a> {
        let outcome = match fate {
            Fate::Done | Fate::Duplicate => Ok(self.body.into_inner()),
            Fate::Retry(error) | Fate::Rejected(error) | Fate::DeadLettered(error) => Err(error),
            Fate::NotStarted | Fate::Blocked | Fate::Abandoned => {
                Err(RecordError::retry("not begun: the invocation's time was over"))
            }
        };
        let (record_id, original) = match self.record {
            Ok(record) => (record.record_id, record.encoded),
            Err(malformed) => (malformed.record_id, malformed.encoded),
        };
        Draft { record_id, original, outcome }
    }
}

/// A record that is not answered yet.
struct Draft<'a> {
    record_id: String,
    original: Cow<'a, str>,
    /// The bytes to deliver, in base64; `None` for a dropped record.
    outcome: Result<Option<String>, RecordError>,
}

/// Answers every record within `limit` bytes: the originals first, so that nothing is lost for want of room, then as many
/// transformed ones in their place as there is room for.
fn answer(drafts: Vec<Draft<'_>>, limit: usize) -> Transformation<'_> {
    let mut fitting = Fitting::within(limit);
    let mut outcomes = Vec::with_capacity(drafts.len());
    let mut originals = Vec::with_capacity(drafts.len());
    for Draft { record_id, original, outcome } in drafts {
        let is_dropped = matches!(outcome, Ok(None));
        fitting.push(
            record_id,
            if is_dropped { TransformationResult::Dropped } else { TransformationResult::ProcessingFailed },
        );
        originals.push((!is_dropped).then_some(original));
        outcomes.push(outcome);
    }
    for (place, original) in originals.into_iter().enumerate() {
        if let Some(original) = original {
            fitting.replace(place, TransformationResult::ProcessingFailed, original);
        }
    }
    let mut failures = Vec::new();
    for (place, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(None) => {}
            Ok(Some(body)) => {
                if !fitting.replace(place, TransformationResult::Ok, Cow::Owned(body)) {
                    let reason = format!("transformed, the answer would be larger than {limit} bytes");
                    failures.push((place, RecordError::reject(reason)));
                }
            }
            Err(error) => failures.push((place, error)),
        }
    }
    Transformation { response: TransformationResponse { records: fitting.records }, failures }
}

/// An answer that knows how large it is.
struct Fitting<'a> {
    records: Vec<TransformedRecord<'a>>,
    bytes: usize,
    limit: usize,
}

impl<'a> Fitting<'a> {
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
