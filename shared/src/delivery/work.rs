//! What is done for a record.

use std::{any::Any, panic::AssertUnwindSafe};

use futures::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::{events::Record, idempotency::Effect, record_error::RecordError};

/// What is done for each record of a queue.
///
/// An `async fn(&Record) -> Result<(), RecordError>` is one. Implement it for a type of your own where the body should be
/// read once for both the name of its effect and its work.
pub trait Work {
    /// What a record asks for.
    type Job<'r>;

    /// Reads what a record asks for; what is wrong with it is rejected.
    fn read<'r>(&self, record: &'r Record) -> Result<Self::Job<'r>, RecordError>;

    /// What the work does, by the name that the business gives it; `None` where the message itself is all there is to know
    /// it by. Only asked where there is an idempotency store.
    fn effect(&self, _record: &Record, _job: &Self::Job<'_>) -> Option<Effect> {
        None
    }

    /// As log lines call the work a record asks for, where that is known.
    fn name<'r>(&self, _record: &'r Record) -> Option<&'r str> {
        None
    }

    /// Records that may be at work at the same time, whatever the settings say: work that holds much memory has few.
    fn max_concurrency(&self) -> usize {
        usize::MAX
    }

    /// Does the work. It may be asked to do the same message again.
    fn run<'r>(&self, record: &'r Record, job: Self::Job<'r>) -> impl Future<Output = Result<(), RecordError>>;
}

impl<F: AsyncFn(&Record) -> Result<(), RecordError>> Work for F {
    type Job<'r> = ();

    fn read(&self, _: &Record) -> Result<(), RecordError> {
        Ok(())
    }

    async fn run(&self, record: &Record, (): ()) -> Result<(), RecordError> {
        self(record).await
    }
}

/// Runs work until it ends, panics or its time is over: `None`.
pub(crate) async fn run_until<T>(
    stop_at: Instant,
    work: impl Future<Output = Result<T, RecordError>>,
) -> Option<Result<T, RecordError>> {
    match timeout_at(stop_at, AssertUnwindSafe(work).catch_unwind()).await {
        Err(_elapsed) => None,
        Ok(Ok(outcome)) => Some(outcome),
        Ok(Err(panic)) => Some(Err(RecordError::retry(panic_text(panic.as_ref())))),
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", message.unwrap_or("no message"))
}
