//! What `events/README.md` promises of each sample, said once more by hand.
//!
//! A snapshot is accepted with a keystroke. These tables are not: each row says what the sample is there to show, and
//! every sample but the garbage must have one.

mod stream;

use sluicegate::events::{
    AttributeValue, EventKind, EventSource, Hop, MalformedNotification, Notification, read_batch, read_firehose_batch,
    read_notifications, read_object_events, read_scheduled_event,
};

use super::sample::{read, samples};

const KEY: &str = "사진/봄 소풍 1+1.jpg";

/// What `read_object_events` finds: route, kind and key of each object, then test events, then refusals.
const OBJECTS: &[(&str, &[&str])] = &[
    ("eventbridge/object-created", &["s3-eventbridge ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("eventbridge/object-created-large", &["s3-eventbridge ObjectCreated video/open day 4K.mov"]),
    ("eventbridge/object-deleted", &["s3-eventbridge ObjectRemoved reports/2024/december.csv"]),
    ("s3/folder-marker", &["s3 ObjectCreated new folder/ (folder)"]),
    (
        "s3/folder-upload",
        &[
            "s3 ObjectCreated album/2025/index.html",
            "s3 ObjectCreated album/2025/photo one.jpg",
            "s3 ObjectCreated album/2025/photo two.jpg",
            "s3 ObjectCreated album/2025/notes/읽어 보기.txt",
            "s3 ObjectCreated album/2025/notes/empty.txt",
        ],
    ),
    (
        "s3/invalid-utf8-key",
        &[
            "s3 ObjectCreated reports/2025/good neighbour.csv",
            "refused: the object's key is not UTF-8 once decoded (byte 0 of it on)",
        ],
    ),
    ("s3/lifecycle-expiration", &["s3 ObjectRemoved tmp/export 0042.parquet"]),
    (
        "s3/missing-bucket",
        &["s3 ObjectCreated reports/2025/good neighbour.csv", "refused: S3 record has no s3.bucket.name"],
    ),
    ("s3/object-created", &["s3 ObjectCreated reports/2025/march.csv"]),
    ("s3/object-created-encoded-key", &["s3 ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("s3/object-created-multipart", &["s3 ObjectCreated video/open day.mp4"]),
    ("s3/object-removed", &["s3 ObjectRemoved reports/2024/december.csv"]),
    ("s3/object-removed-delete-marker", &["s3 ObjectRemoved reports/2025/march.csv"]),
    ("s3/object-restored", &["s3 ObjectRestore archive/2019/ledger.csv"]),
    ("s3/test-event", &["s3 test event of amzn-s3-demo-bucket"]),
    ("s3/unknown-event-name", &["s3 Other reports/2025/april.csv"]),
    ("s3/without-event-time", &["s3 ObjectCreated orchard/pear.txt"]),
    ("s3/zero-records", &[]),
    ("sns/s3-object-created", &["s3-sns ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("sns/s3-without-event-time", &["s3-sns ObjectCreated orchard/pear.txt"]),
    ("sns/s3-test-event", &["s3-sns test event of amzn-s3-demo-bucket"]),
    ("sqs/s3-eventbridge", &["s3-eventbridge-sqs ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    (
        "eventbridge/cloudtrail-call",
        &["a call of AWS's API that CloudTrail tells of (AWS API Call via CloudTrail), not an object's event of S3"],
    ),
    (
        "sqs/s3-empty-records",
        &[
            "refused: not a shape this function knows: expected an S3 notification or an S3 event of EventBridge, \
             perhaps inside SNS or SQS",
            "refused: not a valid record: null, not an object",
            "refused: not a shape this function knows: expected a record of S3, SNS or SQS",
        ],
    ),
    (
        "sqs/s3-eventbridge-without-detail-type",
        &["s3-eventbridge-sqs Unnamed \
           aws/ROUTE53/1.0/region=eu-north-1/accountId=1/eventDay=20260720/a.gz.parquet"],
    ),
    (
        "sqs/s3-images",
        &[
            "s3-sqs ObjectCreated photos/open day/0042.JPG",
            "s3-sqs ObjectCreated photos/open day/index.html",
            "s3-sqs ObjectCreated photos/open day/panorama.png",
        ],
    ),
    ("sqs/s3-object-created", &["s3-sqs ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("sqs/s3-sns-raw", &["s3-sqs ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("sqs/s3-sns-wrapped", &["s3-sns-sqs ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("sqs/s3-sns-wrapped-no-signature", &["s3-sns-sqs ObjectCreated 사진/봄 소풍 1+1.jpg"]),
    ("sqs/s3-test-event", &["s3-sqs test event of amzn-s3-demo-bucket"]),
];

/// What `notifications` finds: the subject of each, or why it is refused.
const NOTIFICATIONS: &[(&str, &[&str])] = &[
    ("sns/attributes-other-spelling", &["(none)"]),
    ("sns/message-is-an-object", &["(none)"]),
    ("sns/s3-without-event-time", &["(none)"]),
    ("sns/long-message", &["Minutes of the meeting"]),
    ("sns/missing-message", &["refused: SNS notification has no Message", "Good neighbour"]),
    ("sns/missing-signature", &["Unsigned"]),
    ("sns/no-subject", &["(none)"]),
    ("sns/notification", &["Import finished"]),
    ("sns/notification-with-attributes", &["Low stock"]),
    ("sns/s3-object-created", &["Amazon S3 Notification"]),
    ("sns/s3-test-event", &["Amazon S3 Notification"]),
    ("sns/several-records", &["Shift 1", "Shift 2", "Shift 3"]),
    ("sns/zero-records", &[]),
];

/// What `batch` finds: source, queue, the receive count of each record or why it is refused; or why the event is.
const BATCHES: &[(&str, &[&str])] = &[
    ("dispatch/nulls", &["dispatch a-std", "receive 1"]),
    ("dispatch/nulls-fifo", &["dispatch a-order.fifo", "receive 1 of g1", "receive 1 of g1"]),
    ("dispatch/same-message-twice", &["dispatch a-std", "receive 1", "receive 1"]),
    ("sqs/attribute-nulls", &["mapping orchard-jobs", "receive 1", "receive 1", "receive 1", "receive 1", "receive 1"]),
    ("sqs/body-as-a-list", &["mapping orchard-jobs", "receive 1", "receive 1"]),
    ("sqs/fifo-head-fails", &["mapping a-order.fifo", "receive 1 of g", "receive 1 of g", "receive 1 of g"]),
    (
        "sqs/fifo-unreadable-attribute",
        &[
            "mapping sluicegate-dev-ordered.fifo",
            "receive 1 of order-7",
            "receive 1 of order-7",
            "receive 1 of order-8",
        ],
    ),
    ("sqs/numeric-id-twice", &["mapping sluicegate-dev-jobs", "receive 1", "receive 1"]),
    (
        "sqs/odd-json",
        &[
            "mapping orchard-jobs",
            "receive 1",
            "receive 1",
            "receive 1",
            "receive 1",
            "receive 1",
            "receive 1",
            "receive 1",
        ],
    ),
    ("sqs/offloaded-payload", &["mapping orchard-jobs", "receive 1"]),
    ("sqs/other-partition", &["mapping spenden", "receive 1"]),
    ("sqs/pipe", &["mapping sluicegate-dev-jobs", "receive 1", "receive 1"]),
    ("sqs/reason-with-noncharacter", &["mapping a-std", "receive 1", "receive 1", "receive 1"]),
    (
        "sqs/s3-empty-records",
        &["mapping orchard-jobs", "receive 1", "receive 1", "receive 1", "receive 1", "receive 1"],
    ),
    ("sqs/s3-eventbridge-without-detail-type", &["mapping orchard-jobs", "receive 1"]),
    ("sqs/secret-in-a-wrong-type", &["mapping orchard-jobs", "receive 1"]),
    ("sqs/sns-confirmation", &["mapping orchard-jobs", "receive 1", "receive 1"]),
    ("sqs/sns-wrapped-donor", &["mapping orchard-jobs", "receive 1"]),
    ("dispatch/messages", &["dispatch sluicegate-polled", "receive 1", "receive 1", "receive 2"]),
    ("dispatch/single-message", &["dispatch sluicegate-polled", "receive 1"]),
    ("dispatch/zero-messages", &["dispatch sluicegate-polled"]),
    (
        "sqs/batch-with-bad-records",
        &["mapping sluicegate-jobs", "receive 1", "receive 1", "receive 1", "receive 1", "receive 1"],
    ),
    ("sqs/binary-attribute", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/drill-panic", &["mapping sluicegate-jobs", "receive 1", "receive 1", "receive 1"]),
    (
        "sqs/fifo-groups",
        &[
            "mapping sluicegate-ordered.fifo",
            "receive 1 of seoul",
            "receive 1 of lagos",
            "receive 1 of seoul",
            "receive 1 of lagos",
            "receive 1 of seoul",
            "receive 1 of lagos",
        ],
    ),
    ("sqs/missing-body", &["mapping sluicegate-jobs", "refused: SQS record has no body", "receive 1"]),
    ("sqs/missing-message-id", &["mapping sluicegate-jobs", "receive 1", "1 unnamed"]),
    ("sqs/new-donor", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/new-donor-by-shape", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-eventbridge", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-images", &["mapping sluicegate-thumbnails", "receive 1", "receive 1", "receive 1"]),
    ("sqs/s3-object-created", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-sns-raw", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-sns-wrapped", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-sns-wrapped-no-signature", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/s3-test-event", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/user-json-with-message-key", &["mapping sluicegate-jobs", "receive 1"]),
    ("sqs/zero-records", &["nothing"]),
];

/// What `read_firehose_batch` finds: the source, the bytes of each record or why it is refused; or why the event is.
const FIREHOSE: &[(&str, &[&str])] = &[
    ("firehose/byte-order-mark", &["sluicegate-clicks", "35 bytes"]),
    ("firehose/direct-put", &["sluicegate-clicks", "88 bytes", "47 bytes"]),
    ("firehose/drop", &["sluicegate-clicks", "29 bytes", "62 bytes", "43 bytes"]),
    ("firehose/empty-data", &["sluicegate-clicks", "0 bytes", "5 bytes", "32 bytes"]),
    ("firehose/from-kinesis", &["sluicegate-stream", "31 bytes of ada", "77 bytes of grace"]),
    ("firehose/malformed", &["sluicegate-clicks", "41 bytes", "32 bytes", "13 bytes", "12 bytes"]),
    ("firehose/missing-data", &["sluicegate-clicks", "refused: Firehose record has no data", "32 bytes"]),
    ("firehose/missing-record-id", &["Firehose record has no recordId"]),
    ("firehose/multi-line", &["sluicegate-clicks", "75 bytes", "36 bytes", "38 bytes"]),
    ("firehose/not-utf8", &["sluicegate-clicks", "17 bytes", "32 bytes"]),
    (
        "firehose/repeated-record-id",
        &["not a shape this function knows: expected a recordId of its own for each record"],
    ),
    (
        "firehose/wrong-base64",
        &["sluicegate-clicks", "refused: data of the Firehose record is not base64 at byte 0", "32 bytes"],
    ),
    ("firehose/times-as-text", &["orchard", "7 bytes", "7 bytes of 4d1a", "7 bytes", "7 bytes", "7 bytes", "7 bytes"]),
    ("firehose/zero-records", &["sluicegate-clicks"]),
];

/// Who `tick` says made the tick.
const TICKS: &[(&str, &str)] = &[
    ("eventbridge/custom-event", "custom"),
    ("eventbridge/scheduled-event", "rule"),
    ("schedule/custom-input", "custom"),
    ("schedule/empty-object", "custom"),
    ("schedule/scheduler", "scheduler"),
];

fn found_objects(event: &str) -> Vec<String> {
    let events = match read_object_events(event) {
        Ok(events) => events,
        Err(problem) => return vec![problem.to_string()],
    };
    let objects = events.objects.iter().map(|object| {
        let folder = if object.is_folder_marker() { " (folder)" } else { "" };
        format!("{} {:?} {}{folder}", object.route, object.kind(), object.key)
    });
    let tests = events.test_events.iter().map(|test| format!("{} test event of {}", test.route, test.bucket));
    let refused = events.refused.iter().map(|refusal| format!("refused: {}", refusal.problem));
    objects.chain(tests).chain(refused).collect()
}

fn found_notifications(event: &str) -> Vec<String> {
    let found = |record: Result<Notification, MalformedNotification>| match record {
        Ok(notification) => notification.subject.unwrap_or_else(|| "(none)".to_owned()),
        Err(malformed) => format!("refused: {}", malformed.problem),
    };
    read_notifications(event).unwrap().records.into_iter().map(found).collect()
}

fn found_batch(event: &str) -> Vec<String> {
    let batch = match read_batch(event) {
        Ok(Some(batch)) => batch,
        Ok(None) => return vec!["nothing".to_owned()],
        Err(problem) => return vec![problem.to_string()],
    };
    let records = batch.records.into_iter().map(|record| match record {
        Ok(record) => {
            let group = record.group_id.map(|group| format!(" of {group}")).unwrap_or_default();
            format!("receive {}{group}", record.receive_count.unwrap())
        }
        Err(malformed) => format!("refused: {}", malformed.problem),
    });
    let unnamed = (batch.unnamed > 0).then(|| format!("{} unnamed", batch.unnamed));
    std::iter::once(format!("{} {}", batch.source.as_str(), batch.queue)).chain(records).chain(unnamed).collect()
}

fn found_firehose(event: &str) -> Vec<String> {
    let batch = match read_firehose_batch(event) {
        Ok(batch) => batch,
        Err(problem) => return vec![problem.to_string()],
    };
    let records = batch.records.iter().map(|record| match record {
        Ok(record) => {
            let key = record.partition_key.as_ref().map(|key| format!(" of {key}")).unwrap_or_default();
            format!("{} bytes{key}", record.body.len())
        }
        Err(malformed) => format!("refused: {}", malformed.problem),
    });
    std::iter::once(batch.source_name().unwrap().to_owned()).chain(records).collect()
}

#[test]
fn every_firehose_sample_reads_as_the_readme_promises() {
    for (sample, promised) in FIREHOSE {
        assert_eq!(found_firehose(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn every_object_sample_reads_as_the_readme_promises() {
    for (sample, promised) in OBJECTS {
        assert_eq!(found_objects(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn every_notification_sample_reads_as_the_readme_promises() {
    for (sample, promised) in NOTIFICATIONS {
        assert_eq!(found_notifications(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn every_batch_sample_reads_as_the_readme_promises() {
    for (sample, promised) in BATCHES {
        assert_eq!(found_batch(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn every_tick_sample_reads_as_the_readme_promises() {
    for (sample, promised) in TICKS {
        assert_eq!(read_scheduled_event(&read(sample)).unwrap().origin.as_str(), *promised, "{sample}");
    }
}

#[test]
fn every_sample_but_the_garbage_has_a_promise() {
    let objects = OBJECTS.iter().map(|(sample, _)| *sample);
    let promised: Vec<&str> = objects
        .chain(NOTIFICATIONS.iter().map(|(sample, _)| *sample))
        .chain(BATCHES.iter().map(|(sample, _)| *sample))
        .chain(FIREHOSE.iter().map(|(sample, _)| *sample))
        .chain(stream::STREAMS.iter().map(|(sample, _)| *sample))
        .chain(stream::BROKERS.iter().map(|(sample, _)| *sample))
        .chain(stream::TABLES.iter().map(|(sample, _)| *sample))
        .chain(TICKS.iter().map(|(sample, _)| *sample))
        .collect();
    for sample in samples().iter().filter(|sample| !sample.starts_with("garbage/")) {
        assert!(
            promised.contains(&sample.as_str()),
            "nothing says what events/{sample}.json must read as: add a row to a table in \
             tests/sample_events/promise.rs",
        );
    }
}

#[test]
fn an_eventbridge_key_is_not_decoded_and_a_notification_key_is_by_every_route() {
    for (sample, route) in [
        ("s3/object-created-encoded-key", "s3"),
        ("sns/s3-object-created", "s3-sns"),
        ("sqs/s3-object-created", "s3-sqs"),
        ("sqs/s3-sns-raw", "s3-sqs"),
        ("sqs/s3-sns-wrapped", "s3-sns-sqs"),
        ("eventbridge/object-created", "s3-eventbridge"),
        ("sqs/s3-eventbridge", "s3-eventbridge-sqs"),
    ] {
        let object = read_object_events(&read(sample)).unwrap().objects.remove(0);
        assert_eq!((object.key.as_str(), object.route.to_string().as_str()), (KEY, route), "{sample}");
    }
}

#[test]
fn the_hops_of_a_route_begin_at_the_bucket() {
    let object = read_object_events(&read("sqs/s3-eventbridge")).unwrap().objects.remove(0);
    assert_eq!(object.route.hops(), [Hop::EventBridge, Hop::Sqs]);
}

#[test]
fn a_set_up_message_is_acknowledged_by_every_route() {
    for sample in ["s3/test-event", "sns/s3-test-event", "sqs/s3-test-event"] {
        let events = read_object_events(&read(sample)).unwrap();
        assert_eq!((events.test_events.len(), events.objects.len(), events.refused.len()), (1, 0, 0), "{sample}");
    }
}

#[test]
fn an_empty_object_is_no_folder_and_a_removal_has_no_size() {
    let upload = read_object_events(&read("s3/folder-upload")).unwrap().objects;
    let empty = upload.iter().find(|object| object.size_bytes == Some(0)).unwrap();
    assert!(!empty.is_folder_marker(), "{}", empty.key);
    for sample in ["s3/object-removed", "s3/object-removed-delete-marker", "eventbridge/object-deleted"] {
        let removed = read_object_events(&read(sample)).unwrap().objects.remove(0);
        assert_eq!((removed.kind(), removed.size_bytes), (EventKind::ObjectRemoved, None), "{sample}");
    }
}

#[test]
fn a_size_beyond_32_bits_and_a_version_are_read_from_both_vocabularies() {
    let large = read_object_events(&read("eventbridge/object-created-large")).unwrap().objects.remove(0);
    assert_eq!(large.size_bytes, Some(1_610_612_736));
    assert!(large.version_id.is_some());
    let multipart = read_object_events(&read("s3/object-created-multipart")).unwrap().objects.remove(0);
    assert!(multipart.version_id.is_some());
    assert!(multipart.e_tag.unwrap().contains('-'), "an eTag with a part count");
}

#[test]
fn an_unknown_event_name_passes_through_as_it_is() {
    let object = read_object_events(&read("s3/unknown-event-name")).unwrap().objects.remove(0);
    assert_eq!((object.name.as_str(), object.kind()), ("ObjectFrozen:Put", EventKind::Other));
}

#[test]
fn a_users_own_json_with_a_message_key_stays_whole() {
    let batch = read_batch(&read("sqs/user-json-with-message-key")).unwrap().unwrap();
    let body = &batch.records[0].as_ref().unwrap().body;
    assert_eq!(Notification::from_envelope(body), None);
    assert!(read_object_events(body).is_err());
}

#[test]
fn binary_attributes_are_bytes_on_both_ways_in() {
    let batch = read_batch(&read("sqs/binary-attribute")).unwrap().unwrap();
    let attributes = &batch.records[0].as_ref().unwrap().attributes;
    assert_eq!(attributes["Fingerprint"].value, AttributeValue::Binary(vec![0x00, 0xFF, 0x10, 0x80, 0x7F, 0xC3]));
    assert_eq!(attributes["Priority"].as_text(), Some("7"));
    let notification =
        read_notifications(&read("sns/notification-with-attributes")).unwrap().records.remove(0).unwrap();
    assert_eq!(notification.attributes["checksum"].value, AttributeValue::Binary(vec![0x00, 0xFF, 0x10, 0x80, 0x7F]));
}

#[test]
fn a_queues_records_keep_their_order_and_their_deduplication_ids() {
    let batch = read_batch(&read("sqs/fifo-groups")).unwrap().unwrap();
    assert_eq!(batch.source, EventSource::Mapping);
    assert!(batch.queue.is_fifo());
    let records: Vec<_> = batch.records.iter().map(|record| record.as_ref().unwrap()).collect();
    assert!(records.iter().all(|record| record.deduplication_id.as_ref().is_some_and(|id| id.len() == 64)));
    assert!(records.is_sorted_by_key(|record| record.sent_at), "as they were sent");
}
