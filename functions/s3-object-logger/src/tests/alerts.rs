//! Who is told, how often, and what happens where that fails.

use super::*;

#[test]
fn without_a_phone_number_and_a_topic_nobody_is_alerted() {
    let outcome = invoke_with(&[("ALERT_ROUTES", "all")], Sns::Takes, sample!("s3/object-created.json"));
    assert!(outcome.sent.is_empty());
}

#[test]
fn one_sms_and_one_message_are_sent_for_all_objects_of_an_invocation() {
    let outcome = invoke_with(&BOTH, Sns::Takes, sample!("s3/folder-upload.json"));
    let count = outcome.json()["logged"].as_u64().unwrap();
    let [(phone, text), (topic, message)] = &outcome.sent[..] else { panic!("{:?}", outcome.sent) };
    assert_eq!((phone.as_str(), topic.as_str()), (PHONE, TOPIC));
    assert!(text.starts_with(&format!("{count} objects created: ")), "{text}");
    assert!(message.starts_with(&format!("{count} objects created in amzn-s3-demo-bucket\n")), "{message}");
    let sent = outcome.said("alert sent");
    assert_eq!(sent.iter().map(|line| &line["alert.channel"]).collect::<Vec<_>>(), ["sms", "topic"]);
    assert!(sent.iter().all(|line| line["alert.objects"] == count && line["level"] == "INFO"));
    assert_eq!(outcome.json()["alerts"], 2);
}

#[test]
fn only_objects_of_the_chosen_routes_alert() {
    let settings = [BOTH[0], ("ALERT_ROUTES", "s3-eventbridge, s3-sns-sqs")];
    let event = queue_event(&[
        queue_record("m-1", sample!("s3/object-created.json")),
        queue_record("m-2", sample!("sns/s3-object-created.json")),
    ]);
    for (event, alerts) in [
        (sample!("eventbridge/object-created-large.json"), 1),
        (sample!("s3/object-created.json"), 0),
        (event.as_str(), 1),
    ] {
        let outcome = invoke_with(&settings, Sns::Takes, event);
        assert_eq!(outcome.json()["alerts"], alerts, "{event}");
        for line in outcome.said("alert sent") {
            assert_eq!(line["alert.objects"], 1);
        }
    }
}

#[test]
fn a_failed_alert_is_logged_and_fails_the_invocation_but_no_line_is_lost() {
    let outcome = invoke_with(&BOTH, Sns::RefusesAll, sample!("s3/invalid-utf8-key.json"));
    let sentences: Vec<&Value> = outcome.lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(sentences, ["object created", "record refused", "alert failed", "alert failed"]);
    let failed = outcome.said("alert failed");
    assert_eq!(failed.iter().map(|line| &line["alert.channel"]).collect::<Vec<_>>(), ["sms", "topic"]);
    for line in failed {
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["error"], "SNS said no: AuthorizationError: not allowed");
    }
    assert_eq!(
        outcome.error(),
        "AlertFailed: sms: SNS said no: AuthorizationError: not allowed; \
         topic: SNS said no: AuthorizationError: not allowed"
    );
}

#[test]
fn one_failed_channel_does_not_keep_the_other_from_its_alert() {
    let outcome = invoke_with(&BOTH, Sns::RefusesSms, sample!("s3/object-created.json"));
    assert_eq!(outcome.sent.len(), 1);
    assert_eq!(outcome.said("alert sent")[0]["alert.channel"], "topic");
    assert!(outcome.error().starts_with("AlertFailed: sms: "), "{}", outcome.error());
}

#[test]
fn an_alert_without_an_answer_is_given_up_before_the_deadline() {
    let outcome = invoke_with(&BOTH, Sns::NeverAnswersSms, sample!("s3/object-created.json"));
    assert_eq!(outcome.error(), "AlertFailed: sms: no answer within 9.5s");
    assert_eq!(outcome.said("alert failed").len(), 1);
    assert_eq!(outcome.sent.len(), 1);
}

/// An invocation fails for another record's sake, or for the other channel's: Lambda brings the event again.
#[test]
fn with_a_table_a_second_try_alerts_only_where_the_first_did_not() {
    let stored = [BOTH[0], BOTH[1], ("IDEMPOTENCY_TABLE", "table")];
    let event = sample!("s3/object-created.json");
    let store = MemoryStore::default();
    let first = invoke_on(&store, &stored, Sns::RefusesSms, event);
    assert!(first.error().starts_with("AlertFailed: sms: "), "{}", first.error());
    assert_eq!(first.sent.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [TOPIC]);
    let second = invoke_on(&store, &stored, Sns::Takes, event);
    assert_eq!(second.sent.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [PHONE]);
    assert_eq!(second.said("alert sent before")[0]["alert.channel"], "topic");
    assert_eq!(second.json()["alerts"], 1);
    let third = invoke_on(&store, &stored, Sns::Takes, event);
    assert!(third.sent.is_empty() && third.said("alert sent before").len() == 2);
    // Another object is another alert, and without a table nothing is remembered.
    let other = event.replace("reports/2025/march.csv", "reports/2025/april.csv");
    assert_eq!(invoke_on(&store, &stored, Sns::Takes, &other).sent.len(), 2);
    assert_eq!(invoke_on(&store, &BOTH, Sns::Takes, event).sent.len(), 2);
}

/// A table whose first answers do not come.
struct Slow {
    store: MemoryStore,
    silent: AtomicUsize,
}

impl IdempotencyStore for Slow {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        let one_less = |left: usize| left.checked_sub(1);
        if self.silent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            pending::<()>().await;
        }
        self.store.claim(claim, now).await
    }
    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        self.store.complete(claim, now).await
    }
    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        self.store.release(claim).await
    }
    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        self.store.set_lease(claim, until).await
    }
    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        self.store.count_try(attempt).await
    }
    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        self.store.take_back(attempt).await
    }
}

/// However late the table answers, and if it never does: what the alert had no time for is logged before Lambda ends it.
#[test]
fn a_slow_table_leaves_no_alert_beyond_the_deadline() {
    let stored = [BOTH[0], ("IDEMPOTENCY_TABLE", "table")];
    for silent in [0, 1, 4, 6, 7, 1_000] {
        let store = Slow { store: MemoryStore::default(), silent: silent.into() };
        let outcome = invoke_on(&store, &stored, Sns::NeverAnswersSms, sample!("s3/object-created.json"));
        assert!(outcome.error().starts_with("AlertFailed: sms: "), "{silent}: {}", outcome.error());
        assert!(outcome.took < Duration::from_secs(10), "{silent}: {:?}", outcome.took);
        assert_eq!(outcome.said("alert failed").len(), 1, "{silent}");
    }
}
