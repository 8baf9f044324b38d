//! The batch runner: each record's fate, with nothing sent anywhere.

use std::{any::Any, cell::RefCell, collections::HashMap, panic::AssertUnwindSafe};

use futures::{
    FutureExt, StreamExt,
    future::{AbortHandle, Abortable},
    stream,
};
use tokio::time::{Instant, timeout_at};

use super::{
    deadline::Deadline,
    fate::{Completion, Fate, Outcome},
    record_error::{Disposition, RecordError},
    retry::RetryPolicy,
};
use crate::events::Record;

/// What the runner needs to know of a record.
pub trait Deliverable {
    /// The message group it belongs to, if any.
    fn group_id(&self) -> Option<&str>;

    /// Deliveries so far, this one included.
    fn receive_count(&self) -> u32;
}

impl Deliverable for Record {
    fn group_id(&self) -> Option<&str> {
        self.group_id.as_deref()
    }

    fn receive_count(&self) -> u32 {
        self.receive_count
    }
}

/// Whether the order inside a message group counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A standard queue: every record is on its own, whatever its group id says.
    None,
    /// A FIFO queue: one record of a group after the other, none after a failure.
    ByGroup,
}

/// How a batch is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Whether groups are kept in order.
    pub order: Order,
    /// Records, or groups, at work at the same time; at least one.
    pub concurrency: usize,
    /// When to stop.
    pub deadline: Deadline,
    /// When a failure is the last.
    pub retry: RetryPolicy,
}

/// Stops the work on a record from outside: used when its receipt handle has run out.
#[derive(Debug, Default)]
pub(crate) struct InHand {
    handles: RefCell<HashMap<usize, AbortHandle>>,
}

impl InHand {
    pub(crate) fn new(records: usize) -> (Self, Vec<futures::future::AbortRegistration>) {
        let pairs: Vec<_> = (0..records).map(|_| AbortHandle::new_pair()).collect();
        let (handles, registrations): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        (Self { handles: RefCell::new(handles.into_iter().enumerate().collect()) }, registrations)
    }

    /// The records whose fate is open.
    pub(crate) fn open(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.handles.borrow().keys().copied().collect();
        open.sort_unstable();
        open
    }

    pub(crate) fn abandon(&self, index: usize) {
        if let Some(handle) = self.handles.borrow_mut().remove(&index) {
            handle.abort();
        }
    }

    fn close(&self, index: usize) {
        self.handles.borrow_mut().remove(&index);
    }
}

/// Runs the handler over a batch and says what became of each record, in the order of the batch.
///
/// - Errors, panics and time-outs belong to their record.
/// - At most [`Plan::concurrency`] records (or groups) are at work at the same time.
/// - With [`Order::ByGroup`] the records of a group run in the order of the batch and stop at the group's first failure;
///   the rest of it is [`Fate::Blocked`]. A record without a group is a group of its own.
/// - A rejected record of a group is handed to `reject` on the spot. When that succeeds the group goes on, when it fails
///   the group is blocked: what is rejected must not come back behind its successors. On a standard queue `reject` is
///   not called; rejected records are left to the caller, who can send them together.
/// - No record starts when the deadline is nearer than the reserve.
pub async fn process<R, C, H, J>(records: &[R], plan: &Plan, handler: &H, reject: &J) -> Vec<Outcome>
where
    R: Deliverable,
    C: Into<Completion>,
    H: AsyncFn(&R) -> Result<C, RecordError>,
    J: AsyncFn(&R, &RecordError) -> bool,
{
    let (in_hand, registrations) = InHand::new(records.len());
    process_in_hand(records, plan, handler, reject, (&in_hand, registrations)).await
}

pub(crate) async fn process_in_hand<R, C, H, J>(
    records: &[R],
    plan: &Plan,
    handler: &H,
    reject: &J,
    (in_hand, registrations): (&InHand, Vec<futures::future::AbortRegistration>),
) -> Vec<Outcome>
where
    R: Deliverable,
    C: Into<Completion>,
    H: AsyncFn(&R) -> Result<C, RecordError>,
    J: AsyncFn(&R, &RecordError) -> bool,
{
    let registrations: Vec<_> =
        registrations.into_iter().map(|registration| RefCell::new(Some(registration))).collect();
    let run_one = async |index: usize| -> Outcome {
        let Some(registration) = registrations[index].borrow_mut().take() else {
            return Outcome::untouched(Fate::Abandoned);
        };
        let started = Instant::now();
        // The call itself is inside too: a handler need not be an `async fn`.
        let work = AssertUnwindSafe(async { handler(&records[index]).await }).catch_unwind();
        let stopped = Abortable::new(timeout_at(plan.deadline.stop_at(), work), registration).await;
        let fate = match stopped {
            Err(_aborted) => Fate::Abandoned,
            Ok(Err(_elapsed)) => Fate::Retry(RecordError::retry("stopped: the invocation's time was over")),
            Ok(Ok(Err(panic))) => Fate::Retry(RecordError::retry(panic_text(panic.as_ref()))),
            Ok(Ok(Ok(Ok(completion)))) => match completion.into() {
                Completion::Done => Fate::Done,
                Completion::Duplicate => Fate::Duplicate,
            },
            Ok(Ok(Ok(Err(error)))) => match error.disposition() {
                Disposition::Retry(_) | Disposition::Later(_) => Fate::Retry(error),
                Disposition::Reject => Fate::Rejected(error),
            },
        };
        let fate = match fate {
            Fate::Retry(error)
                if matches!(error.disposition(), Disposition::Retry(_))
                    && plan.retry.is_exhausted(records[index].receive_count()) =>
            {
                Fate::Rejected(error.given_up())
            }
            fate => fate,
        };
        Outcome { fate, duration: started.elapsed() }
    };

    let outcomes: RefCell<Vec<Option<Outcome>>> = RefCell::new(records.iter().map(|_| None).collect());
    let run_lane = async |lane: Vec<usize>| {
        let mut held_back = None;
        for index in lane {
            let outcome = match held_back {
                Some(fate) => Outcome::untouched(fate_of_the_rest(fate)),
                None if !plan.deadline.allows_start() => Outcome::untouched(Fate::NotStarted),
                None => {
                    let mut outcome = run_one(index).await;
                    if plan.order == Order::ByGroup
                        && let Fate::Rejected(error) = outcome.fate
                    {
                        let sent = reject(&records[index], &error).await;
                        outcome.fate = if sent { Fate::DeadLettered(error) } else { Fate::Rejected(error) };
                    }
                    outcome
                }
            };
            if held_back.is_none() && !outcome.fate.is_final() {
                held_back = Some(matches!(outcome.fate, Fate::NotStarted));
            }
            in_hand.close(index);
            outcomes.borrow_mut()[index] = Some(outcome);
        }
    };
    stream::iter(lanes(records, plan.order)).for_each_concurrent(plan.concurrency.max(1), run_lane).await;
    let outcomes = outcomes.into_inner();
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Outcome::untouched(Fate::NotStarted))).collect()
}

fn fate_of_the_rest(time_was_over: bool) -> Fate {
    if time_was_over { Fate::NotStarted } else { Fate::Blocked }
}

/// The records that must run one after the other, in the order of their first record.
fn lanes<R: Deliverable>(records: &[R], order: Order) -> Vec<Vec<usize>> {
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    let mut lane_of_group: HashMap<&str, usize> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        match record.group_id().filter(|_| order == Order::ByGroup) {
            Some(group) => {
                let lane = *lane_of_group.entry(group).or_insert_with(|| {
                    lanes.push(Vec::new());
                    lanes.len() - 1
                });
                lanes[lane].push(index);
            }
            None => lanes.push(vec![index]),
        }
    }
    lanes
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", message.unwrap_or("no message"))
}

#[cfg(test)]
mod tests;
