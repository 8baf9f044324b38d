//! What the store keeps: done once, tried often enough, killed by a suspect; and stores that are away.

use super::*;

/// Does one thing by a name of its own.
struct Named;

impl Work for Named {
    type Job<'r> = ();

    fn read(&self, _: &Record) -> Result<(), RecordError> {
        Ok(())
    }

    fn effect(&self, record: &Record, (): &()) -> Option<Effect> {
        let effect = Effect::named("job", &serde_json::json!("one"))?;
        Some(effect.of_payload(record.attributes.len().to_string()))
    }

    async fn run(&self, record: &Record, (): ()) -> Result<(), RecordError> {
        obey(record).await
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_was_done_is_not_repeated_and_another_payload_under_its_name_is_rejected() {
    let engine = engine_with(Asked::default(), policy()).with_store(Some(MemoryStore::default()), "worker");
    let report = engine.run(bodies(EventSource::Mapping, &["done"]), seconds(30), &Named).await;
    assert_eq!(fates(&report), ["done"]);
    let again = of(EventSource::Mapping, "jobs", [Ok(record("another", "done"))]);
    assert_eq!(fates(&engine.run(again, seconds(30), &Named).await), ["duplicate"]);
    let mut other = record("third", "done");
    other.attributes.insert("more".to_owned(), MessageAttribute::text("x"));
    let report = engine.run(of(EventSource::Mapping, "jobs", [Ok(other)]), seconds(30), &Named).await;
    assert_eq!(fates(&report), ["rejected"]);
}

#[tokio::test(start_paused = true)]
async fn two_fifo_messages_with_one_deduplication_id_are_two() {
    let engine = engine_with(Asked::default(), policy()).with_store(Some(MemoryStore::default()), "worker");
    let message = |id: &str| {
        let deduplication_id = Some("same".to_owned());
        Ok(Record { group_id: Some("red".to_owned()), deduplication_id, ..record(id, "done") })
    };
    for id in ["first", "ten minutes later"] {
        let report = engine.run(of(EventSource::Mapping, "jobs.fifo", [message(id)]), seconds(30), &obey).await;
        assert_eq!(fates(&report), ["done"], "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_in_progress_elsewhere_waits_for_the_whole_of_its_lease() {
    let store = MemoryStore::default();
    let other = Guard::new(&store, "worker", Arc::new(TokioClock(Instant::now())), Arc::new(Most(AtomicU64::new(500))));
    let attempts = Deadline::never().attempts(Instant::now() + Duration::from_secs(1));
    other.claim(&Effect::of_message("0"), None, Duration::from_mins(5), attempts).await.unwrap();
    let engine = engine_with(Asked::default(), policy()).with_store(Some(&store), "worker");
    let report = engine.run(bodies(EventSource::Mapping, &["done"]), seconds(30), &obey).await;
    assert_eq!((fates(&report), engine.port.delays()), (vec!["waiting"], vec![("handle-0".to_owned(), 311)]));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_killed_a_worker_runs_last_and_alone_when_what_is_done_is_deleted() {
    let store = MemoryStore::default();
    let engine = engine_with(Asked::default(), policy()).with_store(Some(&store), "worker");
    // A worker that is killed with all three at work.
    let killed = engine.run(bodies(EventSource::Mapping, &["hang", "hang", "hang"]), seconds(30), &obey);
    tokio::time::timeout(Duration::from_secs(5), killed).await.unwrap_err();
    sleep(Duration::from_mins(1)).await;
    let at_work = AtomicUsize::new(0);
    let order = Mutex::new(Vec::new());
    let note = async |record: &Record| {
        let beside = at_work.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        at_work.fetch_sub(1, Ordering::Relaxed);
        let is_suspect = ["0", "1", "2"].contains(&record.message_id.as_str());
        order.lock().unwrap().push((is_suspect, beside, engine.port.deleted().len()));
        if record.message_id == "1" { Err(RecordError::retry("busy")) } else { Ok(()) }
    };
    let records = ["0", "1", "2", "3", "4"].map(|id| Ok(record(id, "")));
    let report = engine.run(of(EventSource::Mapping, "jobs", records), seconds(30), &note).await;
    assert_eq!(report.failed_ids(), ["1"]);
    let order = order.into_inner().unwrap();
    assert_eq!(order[..2].iter().map(|(is_suspect, ..)| *is_suspect).collect::<Vec<_>>(), [false, false]);
    for (is_suspect, beside, deleted) in &order[2..] {
        assert!(*is_suspect && *beside == 0 && *deleted >= 2, "{order:?}");
    }
    // Suspicion alone is no failed try: only that of `1` counts.
    for (id, count) in [("0", 1), ("1", 2), ("2", 1)] {
        let attempt = engine.guard.as_ref().unwrap().attempt(id);
        assert_eq!(store.count_try(&attempt).await.unwrap().count, count, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_hangs_behind_a_suspect_has_all_the_time_there_is_and_its_failure_counts() {
    let store = MemoryStore::default();
    let one_at_a_time = Policy { concurrency: 1, ..policy() };
    let engine = engine_with(Asked::default(), one_at_a_time).with_store(Some(&store), "worker");
    let killed = engine.run(groups(EventSource::Mapping, &[("red", "hang")]), seconds(30), &obey);
    tokio::time::timeout(Duration::from_secs(5), killed).await.unwrap_err();
    sleep(Duration::from_mins(1)).await;
    let batch = groups(EventSource::Mapping, &[("red", "done"), ("blue", "hang")]);
    assert_eq!(fates(&engine.run(batch, seconds(30), &obey).await), ["not started", "retry"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_does_not_go_on_behind_work_whose_completion_was_not_recorded() {
    let engine = engine_with(Asked::default(), policy()).with_store(Some(Unwritten(MemoryStore::default())), "worker");
    let batch = groups(EventSource::Mapping, &[("red", "done"), ("red", "done"), ("blue", "done")]);
    assert_eq!(fates(&engine.run(batch, seconds(30), &obey).await), ["done", "blocked", "done"]);
}

/// A store in which the completion of the first message of a queue cannot be written.
struct Unwritten(MemoryStore);

impl IdempotencyStore for Unwritten {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        self.0.claim(claim, now).await
    }
    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        if claim.key.ends_with(":0") {
            return Err(StoreError("away".to_owned()));
        }
        self.0.complete(claim, now).await
    }
    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        self.0.release(claim).await
    }
    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        self.0.set_lease(claim, until).await
    }
    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        self.0.count_try(attempt).await
    }
    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        self.0.take_back(attempt).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_kills_every_worker_is_given_up_after_the_tries_and_the_horizon_without_another_kill() {
    let store = MemoryStore::default();
    let engine = engine_with(Asked::default(), policy()).with_store(Some(&store), "worker");
    let began = AtomicUsize::new(0);
    let kills = async |_: &Record| {
        began.fetch_add(1, Ordering::Relaxed);
        std::future::pending().await
    };
    for kill in 0..11 {
        let killed = engine.run(bodies(EventSource::Mapping, &["x"]), seconds(30), &kills);
        tokio::time::timeout(Duration::from_secs(5), killed).await.unwrap_err();
        assert_eq!(began.load(Ordering::Relaxed), kill + 1);
        sleep(Duration::from_mins(3)).await;
    }
    let report = engine.run(bodies(EventSource::Mapping, &["x"]), seconds(30), &kills).await;
    assert_eq!((fates(&report), began.load(Ordering::Relaxed)), (vec!["given up"], 11));
}

#[tokio::test(start_paused = true)]
async fn where_others_share_the_process_its_death_counts_against_no_record() {
    let store = MemoryStore::default();
    let shared = Policy { shares_process: true, ..policy() };
    let engine = engine_with(Asked::default(), shared).with_store(Some(&store), "worker");
    for _ in 0..11 {
        let killed = engine.run(bodies(EventSource::Mapping, &["hang"]), seconds(30), &obey);
        tokio::time::timeout(Duration::from_secs(5), killed).await.unwrap_err();
        sleep(Duration::from_mins(3)).await;
    }
    let report = engine.run(bodies(EventSource::Mapping, &["retry"]), seconds(30), &obey).await;
    assert_eq!(fates(&report), ["retry"]);
    let attempt = engine.guard.as_ref().unwrap().attempt("0");
    assert_eq!(store.count_try(&attempt).await.unwrap().count, 2, "its one failure, and this");
}

/// A store that cannot be asked.
struct Away;

impl IdempotencyStore for Away {
    async fn claim(&self, _: &Claim, _: SystemTime) -> Result<ClaimAnswer, StoreError> {
        std::future::pending().await
    }
    async fn complete(&self, _: &Claim, _: SystemTime) -> Result<Ownership, StoreError> {
        unreachable!("nothing was claimed")
    }
    async fn release(&self, _: &Claim) -> Result<Ownership, StoreError> {
        unreachable!("nothing was claimed")
    }
    async fn set_lease(&self, _: &Claim, _: SystemTime) -> Result<Ownership, StoreError> {
        unreachable!("nothing was claimed")
    }
    async fn count_try(&self, _: &Attempt) -> Result<Tries, StoreError> {
        unreachable!("nothing was tried")
    }
    async fn take_back(&self, _: &Attempt) -> Result<(), StoreError> {
        unreachable!("nothing was counted")
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_asked_keeps_the_work_from_beginning_and_gives_nothing_up() {
    let engine = engine_with(
        Asked::default(),
        Policy { retry: RetryPolicy { max_receives: Some(2), ..RetryPolicy::default() }, ..policy() },
    );
    let engine = engine.with_store(Some(Away), "worker");
    let never = async |_: &Record| -> Result<(), RecordError> { panic!("must not run") };
    let started = Instant::now();
    let report = engine.run(bodies(EventSource::Mapping, &["a", "b"]), seconds(30), &never).await;
    assert_eq!(fates(&report), ["waiting", "waiting"]);
    assert!(report.response().is_ok() && started.elapsed() < Duration::from_secs(30));
    assert_eq!(engine.port.delays().len(), 2);
}
