//! The functions under `examples/`, with the sample events their README names.

#[allow(dead_code, reason = "`main` is not run here")]
#[path = "../examples/jobs.rs"]
mod jobs;
#[allow(dead_code, reason = "`main` is not run here")]
#[path = "../examples/notifications.rs"]
mod notifications;
#[allow(dead_code, reason = "`main` is not run here")]
#[path = "../examples/object-names.rs"]
mod object_names;

use std::{fs, path::Path};

use sluicegate::delivery::{Engine, Policy};

use crate::sample_events::{
    capture::capture,
    port::{Aws, Calls},
    sample,
};

/// What a function that calls nobody does with a sample.
macro_rules! logged {
    ($handle:path, $sample:expr) => {
        capture("example", &Calls::default(), async |invocation| $handle(&(), &sample::read($sample), invocation).await)
    };
}

#[test]
fn an_object_is_named_by_whatever_way_its_event_comes() {
    for (sample, route) in [
        ("s3/object-created-encoded-key", "s3"),
        ("sns/s3-object-created", "s3-sns"),
        ("sqs/s3-sns-wrapped", "s3-sns-sqs"),
        ("eventbridge/object-created", "s3-eventbridge"),
    ] {
        let report = logged!(object_names::handle, sample);
        assert!(report.contains(r#""object.key":"사진/봄 소풍 1+1.jpg""#), "{sample}: {report}");
        assert!(report.contains(&format!(r#""route":"{route}""#)), "{sample}: {report}");
    }
}

#[test]
fn a_notification_is_a_warning_where_its_severity_says_so_and_a_bad_one_harms_no_neighbour() {
    let report = logged!(notifications::handle, "sns/notification-with-attributes");
    assert!(report.contains(r#""level":"WARN","message":"attention wanted""#), "{report}");
    let report = logged!(notifications::handle, "sns/missing-message");
    assert!(report.contains("record refused") && report.contains("Good neighbour"), "{report}");
}

#[test]
fn a_job_that_is_none_is_named_in_the_answer_and_no_other_is() {
    let aws = Aws::default();
    let engine = Engine::new(aws.clone(), Policy::default());
    let event = sample::read("sqs/batch-with-bad-records");
    let report = capture("jobs", &aws.calls, async |invocation| jobs::handle(&engine, &event, invocation).await);
    for bad in ["c4e5efca-f73d-4b95-875e-f9aa4a15bb71", "935d24c0-d5b9-405c-abac-9064ce54b0ae"] {
        assert!(report.contains(&format!(r#""itemIdentifier": "{bad}""#)), "{report}");
    }
    assert_eq!(report.matches("itemIdentifier").count(), 2, "{report}");
    assert_eq!(report.matches("donor registered").count(), 3, "{report}");
    assert!(report.contains("hide in"), "they come again after a delay: {report}");
}

#[test]
fn an_example_is_at_most_forty_lines_and_has_its_row_in_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    for name in ["jobs", "notifications", "object-names"] {
        let lines = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap().lines().count();
        assert!(lines <= 40, "{name} has {lines} lines");
        assert!(readme.contains(&format!("| [`{name}`]({name}.rs) |")), "{name} has no row");
    }
}
