//! The crate's examples as they stand there, over the Runtime API, with sample events.

use crate::{
    lambda::{Lambda, event},
    sample_events::sample,
};

/// Each is a binary of this package too: see `Cargo.toml`.
async fn example(name: &'static str) -> Lambda {
    let program = match name {
        "queue" => env!("CARGO_BIN_EXE_example-queue"),
        "notifications" => env!("CARGO_BIN_EXE_example-notifications"),
        _ => env!("CARGO_BIN_EXE_example-object-names"),
    };
    Lambda::start_program(name, program.as_ref(), &[]).await
}

#[tokio::test]
async fn an_object_is_named_by_whatever_way_its_event_comes() {
    for (sample, route) in [
        ("s3/object-created-encoded-key", "s3"),
        ("sns/s3-object-created", "s3-sns"),
        ("sqs/s3-sns-wrapped", "s3-sns-sqs"),
        ("eventbridge/object-created", "s3-eventbridge"),
    ] {
        let function = example("object-names").await;
        function.invoke(sample::read(sample)).await.response();
        let log = function.output().await.join("\n");
        assert!(log.contains(r#""object.key":"사진/봄 소풍 1+1.jpg""#), "{sample}: {log}");
        assert!(log.contains(&format!(r#""route":"{route}""#)), "{sample}: {log}");
    }
}

#[tokio::test]
async fn a_notification_is_a_warning_where_its_severity_says_so_and_a_bad_one_harms_no_neighbour() {
    let function = example("notifications").await;
    function.invoke(sample::read("sns/notification-with-attributes")).await.response();
    let missing = function.invoke(sample::read("sns/missing-message")).await;
    assert_eq!(missing.error().0, "RecordsRefused");
    let log = function.output().await.join("\n");
    assert!(log.contains(r#""level":"WARN","message":"attention wanted""#), "{log}");
    assert!(log.contains("record refused") && log.contains("Good neighbour"), "{log}");
}

#[tokio::test]
async fn a_record_that_is_none_is_named_in_the_answer_and_no_other_is() {
    let function = example("queue").await;
    let invoked = function.invoke(sample::read("sqs/batch-with-bad-records")).await;
    let bad = ["c4e5efca-f73d-4b95-875e-f9aa4a15bb71", "935d24c0-d5b9-405c-abac-9064ce54b0ae"];
    assert_eq!(event::handed_back(invoked.response()), bad);
    let log = function.output().await.join("\n");
    assert!(log.contains("donor registered") && log.contains("job failed") && log.contains("batch finished"), "{log}");
}
