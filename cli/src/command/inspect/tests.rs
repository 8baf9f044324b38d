use std::path::Path;

use insta::{assert_snapshot, glob};

use super::*;

fn name(path: &Path) -> String {
    format!("{}/{}", path.parent().unwrap().file_name().unwrap().display(), path.file_stem().unwrap().display())
}

#[test]
fn every_sample_is_shown_as_its_snapshot_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        glob!("../../../../events", "*/*.json", |path| {
            let event = fs::read_to_string(path).unwrap();
            let report = Report::of(&event, None);
            let outcome = if report.refused { "refused" } else { "taken" };
            let text = format!("{}\n\n{outcome}", report.text(Output::to_pipe()));
            insta::with_settings!({ snapshot_suffix => name(path) }, { assert_snapshot!("inspect", text) });
        });
    });
}

#[test]
fn what_a_function_would_refuse_is_refused() {
    let event = |name: &str| fs::read_to_string(format!("../events/{name}.json")).unwrap();
    for name in
        ["s3/missing-bucket", "sns/missing-message", "sqs/missing-message-id", "sqs/missing-body", "garbage/null"]
    {
        assert!(Report::of(&event(name), None).refused, "{name}");
    }
    for name in ["s3/object-created", "s3/test-event", "sqs/new-donor", "sqs/s3-sns-wrapped", "schedule/custom-input"] {
        assert!(!Report::of(&event(name), None).refused, "{name}");
    }
    assert!(Report::of(&event("sns/notification"), Some(Function::SqsWorker)).refused);
    assert!(Report::of("no JSON", None).refused);
}

#[test]
fn the_report_is_json_too() {
    let event = fs::read_to_string("../events/sqs/s3-sns-wrapped.json").unwrap();
    let json = serde_json::to_value(Report::of(&event, None)).unwrap();
    assert_eq!(json["functions"][0]["function"], "sqs-worker");
    assert_eq!(json["refused"], false);
}
