//! The one place where images are worked on.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Work on pixels, on a thread of its own and never two at once.
///
/// Decoding takes seconds and does not yield. On the function's only thread it would hold up the deadline; beside it, the
/// record is given up in time. The thread itself cannot be stopped: it ends its image, in this invocation or, frozen and
/// thawed by Lambda, in the next, and what it made is dropped. Until then it holds the place, so that memory for two
/// images is never needed: the next one waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Easel {
    place: Arc<Mutex<()>>,
}

/// The right to work on an image: from before it is read until it is a thumbnail.
#[derive(Debug)]
pub(crate) struct Place(OwnedMutexGuard<()>);

/// The work panicked: the message is in the log line of the panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

impl Easel {
    /// Waits for the place.
    pub(crate) async fn place(&self) -> Place {
        Place(self.place.clone().lock_owned().await)
    }
}

impl Place {
    /// Does the work and leaves the place, also when the caller no longer waits for it.
    pub(crate) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        // What the thread logs belongs to the invocation.
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let _place = self.0;
            span.in_scope(work)
        });
        // Nobody aborts the task: that it did not end well means that it panicked.
        done.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn a_panic_stays_with_its_work_and_frees_the_place() {
        let easel = Easel::default();
        assert_eq!(easel.place().await.work(|| panic!("a broken decoder")).await, Err::<(), _>(Panicked));
        assert_eq!(easel.place().await.work(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_the_place_until_it_ends() {
        let easel = Easel::default();
        let (finish, finished) = mpsc::channel::<()>();
        let work = easel.place().await.work(move || finished.recv().is_ok());
        tokio::time::timeout(Duration::from_millis(10), work).await.expect_err("given up at its deadline");
        let mut next = Box::pin(easel.place());
        assert!(at_once(&mut next).await.is_none(), "the place is taken");
        finish.send(()).unwrap();
        next.await;
    }

    /// The future's value, if it has one at once.
    async fn at_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = std::future::ready(()) => None,
        }
    }
}
