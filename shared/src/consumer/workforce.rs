//! How many messages are worked on at once, and how many to ask for.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use tokio::sync::{Notify, oneshot};

/// What a receive takes.
const MAX_MESSAGES: usize = 10;

/// Places for work. Their number follows the backlog: a receive that brings all it asked for doubles it, an empty one
/// brings it back to the least.
#[derive(Debug)]
pub(crate) struct Workforce {
    least: usize,
    most: usize,
    places: Cell<usize>,
    busy: Cell<usize>,
    waiting: RefCell<VecDeque<oneshot::Sender<Place>>>,
    /// The average time of one piece of work, the newest counting for a fifth; `None` until one is done.
    pace: Cell<Option<Duration>>,
    changed: Notify,
}

/// One place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Rc<Workforce>);

impl Workforce {
    pub(crate) fn new(least: usize, most: usize) -> Rc<Self> {
        Rc::new(Self {
            least,
            most,
            places: Cell::new(least),
            busy: Cell::new(0),
            waiting: RefCell::default(),
            pace: Cell::new(None),
            changed: Notify::new(),
        })
    }

    /// Waits for a place; first come, first served.
    pub(crate) async fn enter(self: &Rc<Self>) -> Option<Place> {
        let (sender, place) = oneshot::channel();
        self.waiting.borrow_mut().push_back(sender);
        self.fill();
        place.await.ok()
    }

    fn fill(self: &Rc<Self>) {
        while self.busy.get() < self.places.get() {
            let Some(next) = self.waiting.borrow_mut().pop_front() else { return };
            self.busy.set(self.busy.get() + 1);
            // Who has given up waiting gives the place back by dropping it.
            drop(next.send(Place(Rc::clone(self))));
        }
    }

    /// Somebody began, or left a place, since this was last awaited.
    pub(crate) async fn changes(&self) {
        self.changed.notified().await;
    }

    /// Tells [`Workforce::changes`].
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Draws the conclusion from one receive.
    pub(crate) fn received(self: &Rc<Self>, asked: usize, got: usize) {
        if got == 0 {
            self.places.set(self.least);
        } else if got >= asked {
            self.places.set((self.places.get() * 2).min(self.most));
        }
        self.fill();
    }

    /// Remembers how long one piece of work took.
    pub(crate) fn worked(&self, duration: Duration) {
        self.pace.set(Some(self.pace.get().map_or(duration, |pace| (pace * 4 + duration) / 5)));
    }

    /// Receives that may be open at once while there is a backlog.
    pub(crate) fn receivers(&self) -> usize {
        self.places.get().div_ceil(MAX_MESSAGES)
    }

    /// How many messages to ask for: those that can be begun within `soon`, none that would only wait. `coming` were
    /// asked for already.
    pub(crate) fn ask(&self, soon: Duration, coming: usize) -> usize {
        let free = self.places.get().saturating_sub(self.busy.get());
        let later = self.pace.get().map_or(0, |pace| {
            let rounds = soon.as_micros() / pace.as_micros().max(1);
            usize::try_from(rounds).unwrap_or(usize::MAX).saturating_mul(self.places.get())
        });
        free.saturating_add(later).saturating_sub(coming).min(MAX_MESSAGES)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        self.0.fill();
        self.0.changed();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn places_follow_the_backlog_between_least_and_most() {
        let workforce = Workforce::new(1, 6);
        let mut seen = Vec::new();
        for got in [1, 2, 4, 0, 1] {
            workforce.received(if got == 0 { 1 } else { got }, got);
            seen.push(workforce.places.get());
        }
        assert_eq!(seen, [2, 4, 6, 1, 2]);
        workforce.received(10, 3);
        assert_eq!(workforce.places.get(), 2, "neither a backlog nor an empty queue");
    }

    #[test]
    fn quick_work_asks_for_full_batches_and_slow_work_for_what_it_can_begin() {
        let workforce = Workforce::new(2, 2);
        assert_eq!(workforce.ask(SOON, 0), 2, "nothing is known yet");
        workforce.worked(Duration::from_millis(5));
        assert_eq!(workforce.ask(SOON, 0), 10);
        let slow = Workforce::new(2, 2);
        slow.worked(Duration::from_mins(1));
        assert_eq!((slow.ask(SOON, 0), slow.ask(SOON, 2)), (2, 0));
    }

    #[tokio::test]
    async fn nobody_enters_a_full_house_and_who_leaves_lets_the_next_in() {
        let workforce = Workforce::new(1, 1);
        let first = workforce.enter().await.unwrap();
        let mut second = Box::pin(workforce.enter());
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(workforce.ask(SOON, 0), 0);
        drop(first);
        assert!(second.now_or_never().unwrap().is_some());
        workforce.changes().await;
    }

    #[tokio::test]
    async fn who_gives_up_waiting_does_not_keep_the_place() {
        let workforce = Workforce::new(1, 1);
        let first = workforce.enter().await.unwrap();
        let mut second = Box::pin(workforce.enter());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        drop(second);
        assert!(workforce.enter().now_or_never().unwrap().is_some());
    }
}
