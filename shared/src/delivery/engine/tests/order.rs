//! Order in a message group.

use super::*;

fn unreadable(id: &str, group: Option<&str>) -> MalformedRecord {
    let event =
        r#"{"Records":[{"messageId":"m","receiptHandle":"h","eventSourceARN":"arn:aws:sqs:us-east-1:1:jobs"}]}"#;
    let problem = read_batch(event).unwrap().unwrap().records.remove(0).unwrap_err().problem;
    MalformedRecord {
        message_id: id.to_owned(),
        receipt_handle: Some(format!("handle-{id}")),
        group_id: group.map(ToOwned::to_owned),
        problem,
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_record_keeps_its_place_in_its_group() {
    let engine = engine(Asked::default());
    let mut batch = groups(EventSource::Mapping, &[("red", "done"), ("red", "done"), ("blue", "done")]);
    batch.records[0] = Err(unreadable("0", Some("red")));
    assert_eq!(fates(&engine.run(batch, seconds(30), &obey).await), ["retry", "blocked", "done"]);
    let mut unknown = groups(EventSource::Mapping, &[("red", "done"), ("red", "done"), ("blue", "done")]);
    unknown.records[1] = Err(unreadable("1", None));
    let report = engine.run(unknown, seconds(30), &obey).await;
    assert_eq!(fates(&report), ["done", "retry", "blocked"], "it may be of any group");
}

#[tokio::test(start_paused = true)]
async fn on_a_fifo_queue_the_next_of_a_group_begins_when_the_one_before_is_deleted() {
    let engine = engine(Asked::default());
    let order = Mutex::new(Vec::new());
    let note = async |record: &Record| {
        order.lock().unwrap().push((record.message_id.clone(), engine.port.deleted().len()));
        Ok(())
    };
    engine.run(groups(EventSource::Dispatch, &[("red", ""), ("red", ""), ("red", "")]), seconds(30), &note).await;
    assert_eq!(order.into_inner().unwrap(), [("0".to_owned(), 0), ("1".to_owned(), 1), ("2".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn on_a_fifo_queue_a_record_that_could_not_be_deleted_ends_its_group_and_no_other() {
    let engine = engine(Asked { expired: vec!["handle-0"], ..Asked::default() });
    let batch = groups(EventSource::Dispatch, &[("red", ""), ("red", ""), ("blue", "")]);
    let report = engine.run(batch, seconds(30), &obey).await;
    assert_eq!(fates(&report), ["done", "blocked", "done"]);
    assert!(report.deliveries[0].is_not_deleted());
}

#[tokio::test(start_paused = true)]
async fn on_a_fifo_queue_work_stops_when_its_handle_does_and_on_a_standard_queue_it_goes_on() {
    let engine = engine(Asked { changes_hang: true, ..Asked::default() });
    let visible_for_twenty = |batch: Batch| Batch { visibility: Some(Duration::from_secs(20)), ..batch };
    let fifo = engine
        .run(visible_for_twenty(groups(EventSource::Dispatch, &[("red", "25"), ("red", "1")])), seconds(60), &obey)
        .await;
    assert_eq!(fates(&fifo), ["abandoned", "blocked"]);
    let only_beats = engine.port.calls().iter().all(|call| matches!(call, Call::Change(changes) if changes[0].1 == 20));
    assert!(only_beats, "its group may be in another consumer's hands: {:?}", engine.port.calls());
    let standard = engine.run(visible_for_twenty(bodies(EventSource::Dispatch, &["25"])), seconds(60), &obey).await;
    assert_eq!((fates(&standard), standard.deliveries[0].deletion), (vec!["done"], Deletion::Late));
}
