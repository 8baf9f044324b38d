use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use serde_json::json;

use super::*;
use crate::{idempotency::MemoryStore, random::SystemRandom, record_error::Disposition};

/// A clock that tests set by hand.
#[derive(Default)]
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

fn guard<S: IdempotencyStore>(store: S, clock: &Arc<Seconds>) -> Guard<S> {
    Guard::new(store, "worker", Arc::clone(clock) as Arc<dyn Clock>, Arc::new(SystemRandom))
}

fn effect() -> Effect {
    Effect::named("job", &json!("k")).unwrap()
}

fn half_a_minute() -> Deadline {
    Deadline::after(Some(Duration::from_secs(30)))
}

fn work() -> impl Future<Output = Result<(), RecordError>> {
    std::future::ready(Ok(()))
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_does_not_repeat_the_work() {
    let (clock, runs) = (Arc::default(), Cell::new(0));
    let guard = guard(MemoryStore::default(), &clock);
    let work = async || {
        runs.set(runs.get() + 1);
        Ok(())
    };
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Done);
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Duplicate);
    let other = Effect::named("job", &json!("other")).unwrap();
    assert_eq!(guard.once(&other, half_a_minute(), work()).await.unwrap(), Completion::Done);
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_gets_the_first_answer_again_where_it_was_kept() {
    let guard = guard(MemoryStore::default(), &Arc::default());
    let order = |id: u64| Effect::named("order", &json!(id)).unwrap();
    let answered = async |answer: u64| guard.once_with_answer(&order(1), half_a_minute(), async { Ok(answer) }).await;
    assert_eq!((answered(17).await.unwrap(), answered(18).await.unwrap()), (17, 17));
    let text = guard.once_with_answer::<String>(&order(1), half_a_minute(), async { Ok(String::new()) }).await;
    let problem = text.unwrap_err();
    assert!(problem.disposition() == Disposition::Reject && !problem.to_string().contains("17"), "{problem}");
    guard.once(&order(2), half_a_minute(), work()).await.unwrap();
    let unkept = guard.once_with_answer(&order(2), half_a_minute(), async { Ok(19) }).await;
    assert!(unkept.unwrap_err().to_string().contains("not kept"));
    for expected in ["", "not kept"] {
        let long = async { Ok("x".repeat(MAX_ANSWER_BYTES)) };
        let problem =
            guard.once_with_answer(&order(3), half_a_minute(), long).await.err().map(|error| error.to_string());
        assert!(problem.unwrap_or_default().contains(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_a_suspect_for_the_next_also_where_its_clock_is_behind() {
    let (ahead, behind) = (Arc::new(Seconds(110.into())), Arc::new(Seconds(100.into())));
    let store = MemoryStore::default();
    let attempts = half_a_minute().attempts(half_a_minute().work_ends_at());
    let claim = |clock| guard(&store, clock);
    let granted = claim(&ahead).claim(&effect(), None, Duration::from_secs(30), attempts).await.unwrap();
    let Claimed::Granted { claim: held, is_suspect: false } = granted else { panic!("not granted") };
    claim(&ahead).leave(&held, attempts).await;
    let next = claim(&behind).claim(&effect(), None, Duration::from_secs(30), attempts).await.unwrap();
    assert!(matches!(next, Claimed::Granted { is_suspect: true, .. }));
}

#[tokio::test(start_paused = true)]
async fn work_that_failed_or_panicked_may_be_tried_again_at_once() {
    let guard = guard(MemoryStore::default(), &Arc::default());
    let effect = effect();
    guard.once(&effect, half_a_minute(), async { Err(RecordError::retry("busy")) }).await.unwrap_err();
    let panicking = guard.once(&effect, half_a_minute(), async { panic!("a drill") });
    AssertUnwindSafe(panicking).catch_unwind().await.unwrap_err();
    assert_eq!(guard.once(&effect, half_a_minute(), work()).await.unwrap(), Completion::Done);
}

#[tokio::test(start_paused = true)]
async fn work_in_progress_elsewhere_is_waited_for_and_is_free_when_its_lease_is_over() {
    let clock = Arc::default();
    let guard = guard(MemoryStore::default(), &clock);
    let effect = effect();
    let mut dropped = Box::pin(guard.once(&effect, half_a_minute(), std::future::pending()));
    assert!((&mut dropped).now_or_never().is_none());
    drop(dropped);
    let error = guard.once(&effect, half_a_minute(), work()).await.unwrap_err();
    // The time left, ten seconds for clocks that differ, and one to be later than that.
    assert_eq!(error.disposition(), Disposition::Later(Duration::from_secs(41)));
    clock.0.store(41, Ordering::Relaxed);
    assert_eq!(guard.once(&effect, half_a_minute(), work()).await.unwrap(), Completion::Done);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_outlived_its_lease_does_not_overwrite_the_next_owner() {
    let (clock, store) = (Arc::<Seconds>::default(), MemoryStore::default());
    let guard = guard(&store, &clock);
    let slow = async {
        clock.0.store(60, Ordering::Relaxed);
        // The next owner claims while the first is still at it, and has not finished.
        let attempts = half_a_minute().attempts(half_a_minute().work_ends_at());
        let next = guard.claim(&effect(), None, Duration::from_mins(1), attempts).await.unwrap();
        assert!(matches!(next, Claimed::Granted { is_suspect: true, .. }), "{next:?}");
        Ok(())
    };
    guard.once(&effect(), half_a_minute(), slow).await.unwrap();
    let error = guard.once(&effect(), half_a_minute(), work()).await.unwrap_err();
    assert!(matches!(error.disposition(), Disposition::Later(_)), "the next owner's claim was overwritten");
}

#[tokio::test(start_paused = true)]
async fn what_is_expired_is_done_again_and_not_a_second_sooner() {
    let clock = Arc::default();
    let guard = guard(MemoryStore::default(), &clock).remembering_for(Duration::from_hours(1));
    guard.once(&effect(), half_a_minute(), work()).await.unwrap();
    clock.0.store(3_630, Ordering::Relaxed);
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Duplicate);
    clock.0.store(3_631, Ordering::Relaxed);
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Done);
}

#[tokio::test(start_paused = true)]
async fn another_payload_under_a_name_that_is_done_is_rejected() {
    let guard = guard(MemoryStore::default(), &Arc::default());
    guard.once(&effect().of_payload("Ada"), half_a_minute(), work()).await.unwrap();
    let same = guard.once(&effect().of_payload("Ada"), half_a_minute(), work()).await;
    assert_eq!(same.unwrap(), Completion::Duplicate);
    let error = guard.once(&effect().of_payload("Grace"), half_a_minute(), work()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Reject);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_repeats_is_told_by_when_the_other_message_was_sent_not_by_now() {
    let clock = Arc::<Seconds>::default();
    let guard = guard(MemoryStore::default(), &clock);
    let daily = effect().repeats_after(Duration::from_secs(100));
    let claimed = async |sent: u64| {
        let attempts = half_a_minute().attempts(half_a_minute().work_ends_at());
        let sent_at = UNIX_EPOCH + Duration::from_secs(sent);
        guard.claim(&daily, Some(sent_at), Duration::from_secs(30), attempts).await.unwrap()
    };
    clock.0.store(1_000, Ordering::Relaxed);
    let Claimed::Granted { claim, .. } = claimed(900).await else { panic!("not granted") };
    guard.complete(&claim, half_a_minute().attempts(half_a_minute().completion_ends_at())).await;
    clock.0.store(50_000, Ordering::Relaxed);
    assert!(matches!(claimed(1_100).await, Claimed::Duplicate { .. }), "a duplicate stays one");
    assert!(matches!(claimed(1_101).await, Claimed::Granted { is_suspect: false, .. }));
}

/// Fails so many completions, and hangs so many after that.
#[derive(Default)]
struct Forgetful {
    memory: MemoryStore,
    completions: AtomicU32,
}

impl IdempotencyStore for Forgetful {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        self.memory.claim(claim, now).await
    }
    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        match self.completions.fetch_add(1, Ordering::Relaxed) {
            0 => Err(StoreError("busy".to_owned())),
            1 => std::future::pending().await,
            _ => self.memory.complete(claim, now).await,
        }
    }
    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        self.memory.release(claim).await
    }
    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        self.memory.set_lease(claim, until).await
    }
    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        self.memory.count_try(attempt).await
    }
    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        self.memory.take_back(attempt).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_fails_or_hangs_for_the_moment_is_tried_again() {
    let guard = guard(Forgetful::default(), &Arc::default());
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Done);
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Duplicate);
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_with_its_time_is_completed_in_the_time_kept_back_for_that() {
    let guard = guard(MemoryStore::default(), &Arc::default());
    let deadline = half_a_minute();
    let until_the_end = async {
        tokio::time::sleep_until(deadline.work_ends_at()).await;
        Ok(())
    };
    assert_eq!(guard.once(&effect(), deadline, until_the_end).await.unwrap(), Completion::Done);
    assert_eq!(guard.once(&effect(), half_a_minute(), work()).await.unwrap(), Completion::Duplicate);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_counts_once_however_late_it_is_told_again_and_not_at_all_once_it_is_taken_back() {
    let (clock, store) = (Arc::<Seconds>::default(), MemoryStore::default());
    let guard = guard(&store, &clock);
    let attempts = half_a_minute().attempts(half_a_minute().work_ends_at());
    let at = |seconds| {
        clock.0.store(seconds, Ordering::Relaxed);
        guard.attempt("m")
    };
    let told = async |attempt: &Attempt| {
        let tries = guard.count_try(attempt, attempts).await.unwrap();
        (tries.count, tries.first_at.duration_since(UNIX_EPOCH).unwrap().as_secs())
    };
    let [first, second, third] = [at(5), at(60), at(70)];
    assert_eq!([told(&first).await, told(&second).await], [(1, 5), (2, 5)]);
    assert_eq!(told(&first).await, (2, 5), "its first call came late");
    guard.take_back(&first, attempts).await;
    assert_eq!(told(&third).await, (2, 60), "the first that counts is another");
    assert_eq!(told(&first).await, (2, 60), "told again after it was taken back");
    assert_eq!(told(&guard.attempt("another")).await, (1, 70));
}
