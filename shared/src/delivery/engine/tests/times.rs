//! Visibility, heartbeats and the end of the invocation.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_visibility_is_changed_after_the_handle_s_time() {
    let engine = engine(Asked { changes_hang: true, ..Asked::default() });
    let slow_failure = async |_: &Record| {
        sleep(Duration::from_secs(25)).await;
        Err(RecordError::retry("busy"))
    };
    let batch = Batch { visibility: Some(Duration::from_secs(20)), ..bodies(EventSource::Dispatch, &["x"]) };
    engine.run(batch, seconds(60), &slow_failure).await;
    let last = engine.port.calls.lock().unwrap().iter().map(|(at, _)| at.as_secs()).max();
    assert!(last < Some(20), "it fails at 25 s: {last:?}");
    // Received fifteen seconds before the invocation, and ten more for clocks that differ: over at once.
    let received_at = Some(now_at(Duration::ZERO) - Duration::from_secs(15));
    let old = Batch {
        visibility: Some(Duration::from_secs(20)),
        received_at,
        ..bodies(EventSource::Dispatch, &["retry", "done"])
    };
    let report = super::tests::engine(Asked::default()).run(old, seconds(60), &obey).await;
    assert_eq!((report.deliveries[0].delay, report.deliveries[1].deletion), (None, Deletion::Late));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_clipped_to_what_is_left_of_twelve_hours() {
    let engine = engine(Asked::default());
    let half_a_day = async |_: &Record| Err(RecordError::retry_after(Duration::from_hours(12), "tomorrow"));
    engine.run(bodies(EventSource::Mapping, &["x"]), seconds(30), &half_a_day).await;
    assert_eq!(engine.port.delays()[0].1, 11 * 3_600, "how long ago it was received is not known");
    let engine = super::tests::engine(Asked::default());
    let received_at = Some(now_at(Duration::ZERO) - Duration::from_hours(1));
    engine.run(Batch { received_at, ..bodies(EventSource::Dispatch, &["x"]) }, seconds(30), &half_a_day).await;
    assert_eq!(engine.port.delays()[0].1, 11 * 3_600 - 10);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_keeps_messages_invisible_until_they_are_settled() {
    let beating = Policy { visibility: Some(Duration::from_secs(30)), ..policy() };
    let engine = engine_with(Asked::default(), beating);
    let report = engine.run(bodies(EventSource::Dispatch, &["45", "45"]), seconds(300), &obey).await;
    assert!(report.failed_ids().is_empty());
    let beats: Vec<u64> = engine.port.calls.lock().unwrap().iter().map(|(at, _)| at.as_secs()).collect();
    // After each third; the last call is the delete.
    assert_eq!(beats, [10, 20, 30, 40, 45]);
}

#[tokio::test(start_paused = true)]
async fn no_beat_is_sent_where_the_visibility_outlasts_the_invocation() {
    for (visibility, beats) in [(61, 0), (60, 1)] {
        let engine = engine_with(Asked::default(), policy());
        let batch =
            Batch { visibility: Some(Duration::from_secs(visibility)), ..bodies(EventSource::Dispatch, &["44"]) };
        engine.run(batch, Deadline::after(Some(Duration::from_millis(60_500))), &obey).await;
        assert_eq!(engine.port.delays().len(), beats, "{visibility}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_twelve_hour_visibility_does_not_stop_a_job_of_five_hours() {
    for visibility in [12, 6] {
        let engine = engine_with(Asked::default(), policy());
        let received_at = Some(now_at(Duration::ZERO));
        let visibility = Some(Duration::from_hours(visibility));
        let batch = Batch { received_at, visibility, ..bodies(EventSource::Dispatch, &["18000"]) };
        let report = engine.run(batch, Deadline::never(), &obey).await;
        assert_eq!((fates(&report), report.deliveries[0].deletion), (vec!["done"], Deletion::Deleted));
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_in_receives_begin_first_and_those_that_begin_later_know_how_long_work_takes() {
    let one_at_a_time = Policy { concurrency: 1, ..policy() };
    let engine = engine_with(Asked::default(), one_at_a_time);
    let mut batch = bodies(EventSource::Mapping, &["10", "10", "10"]);
    batch.records[2].as_mut().unwrap().receive_count = Some(9);
    // 30 s: the third would be stopped half-way, so it is not begun.
    let report = engine.run(batch, seconds(30), &obey).await;
    assert_eq!(fates(&report), ["done", "not started", "done"]);
}

#[tokio::test(start_paused = true)]
async fn only_work_that_began_with_the_invocation_fails_at_its_end() {
    let one_at_a_time = Policy { concurrency: 1, ..policy() };
    let engine = engine_with(Asked::default(), one_at_a_time);
    let report = engine.run(bodies(EventSource::Mapping, &["1", "hang"]), seconds(30), &obey).await;
    assert_eq!(fates(&report), ["done", "out of time"]);
    let report = engine.run(bodies(EventSource::Mapping, &["hang", "1"]), seconds(30), &obey).await;
    assert_eq!(fates(&report), ["retry", "not started"]);
}
