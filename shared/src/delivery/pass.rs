//! A batch that is only worked on: nothing is told to a queue.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream};
use tokio::time::Instant;

use super::{fate::Fate, work::run_until};
use crate::{
    deadline::Deadline,
    idempotency::Completion,
    record_error::{Disposition, RecordError},
};

/// A record's fate and how long its handler ran.
#[derive(Debug)]
pub struct Outcome {
    /// What became of it.
    pub fate: Fate,
    /// The handler's time; zero where it did not run.
    pub duration: Duration,
}

/// Runs work over records and says what became of each, in their order.
///
/// Errors, panics and time-outs belong to their record. Records of one lane run one after the other, none after the first
/// that is not done; a record without a lane is one of its own. None begins when less than the reserve is left.
pub(crate) async fn pass<R, C: Into<Completion>>(
    records: &[R],
    lane_of: impl Fn(&R) -> Option<&str>,
    concurrency: usize,
    deadline: Deadline,
    work: impl AsyncFn(&R) -> Result<C, RecordError>,
) -> Vec<Outcome> {
    let run_lane = async |lane: Vec<usize>| {
        let mut outcomes: Vec<(usize, Outcome)> = Vec::with_capacity(lane.len());
        let mut rest: Option<fn() -> Fate> = None;
        for place in lane {
            let began = Instant::now();
            let fate = match rest {
                Some(fate) => fate(),
                None if deadline.budget().is_zero() => Fate::NotStarted,
                None => match run_until(deadline.work_ends_at(), work(&records[place])).await {
                    Some(Ok(completion)) => match completion.into() {
                        Completion::Done => Fate::Done,
                        Completion::Duplicate => Fate::Duplicate,
                    },
                    Some(Err(error)) if error.disposition() == Disposition::Reject => Fate::Rejected(error),
                    Some(Err(error)) => Fate::Retry(error),
                    None => Fate::Retry(RecordError::retry("stopped: the invocation's time was over")),
                },
            };
            let is_done = matches!(fate, Fate::Done | Fate::Duplicate);
            if !is_done && rest.is_none() {
                rest = Some(if matches!(fate, Fate::NotStarted) { || Fate::NotStarted } else { || Fate::Blocked });
            }
            outcomes.push((place, Outcome { fate, duration: began.elapsed() }));
        }
        outcomes
    };
    let lanes = stream::iter(lanes(records, lane_of)).map(run_lane);
    let mut outcomes: Vec<(usize, Outcome)> =
        lanes.buffer_unordered(concurrency.max(1)).map(stream::iter).flatten().collect().await;
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The places of records that must run one after the other, in the order of their first.
fn lanes<R>(records: &[R], lane_of: impl Fn(&R) -> Option<&str>) -> Vec<Vec<usize>> {
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let lane = lane_of(record).map_or(lanes.len(), |lane| *known.entry(lane).or_insert(lanes.len()));
        match lanes.get_mut(lane) {
            Some(lane) => lane.push(place),
            None => lanes.push(vec![place]),
        }
    }
    lanes
}
