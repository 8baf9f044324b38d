//! Figures that can be counted, and so do not move with the load of the machine: when one slips, a test fails.
//!
//! `docs/performance.md` has them beside the timed ones, which `make bench` measures and no test judges. Requests a
//! message are counted in `poller`.

use std::{path::Path, sync::LazyLock};

use bench::{
    built, growth,
    progress::Progress,
    subject::{BARE, Places, Subject},
    trace,
};

use crate::lambda::path_of;

/// What each function may weigh and log: megabytes as a zip file, and bytes of log a record in an event of a hundred.
/// What has no records, or does more with each than log it, has no second.
const BUDGETS: [(&str, f64, Option<f64>); 8] = [
    ("firehose-transformer", 0.8, Some(10.0)),
    ("kinesis-logger", 0.75, Some(470.0)),
    ("mq-logger", 0.8, Some(600.0)),
    ("s3-object-logger", 2.75, Some(325.0)),
    ("scheduled-poller", 2.7, None),
    ("sns-logger", 0.75, Some(525.0)),
    ("sqs-worker", 2.95, Some(515.0)),
    ("thumbnailer", 4.5, None),
];

/// Files that may be opened before the first event is asked for.
const FILES: usize = 12;

/// Every function of the template, with its typical event. Nobody listens at the endpoint.
static FUNCTIONS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let bootstraps = path_of("sns-logger").parent().and_then(Path::parent).unwrap().to_owned();
    let places =
        Places { root: Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), bootstraps, stock: None, python: None };
    places.functions("http://127.0.0.1:1", |name| name != BARE).unwrap()
});

#[test]
fn every_function_has_a_budget() {
    let with_budget: Vec<&str> = BUDGETS.iter().map(|(name, ..)| *name).collect();
    let built: Vec<&str> = FUNCTIONS.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(built, with_budget);
}

#[test]
fn a_function_is_no_larger_than_its_budget() {
    for (built, (name, megabytes, _)) in built::weigh(&FUNCTIONS, &Progress::silent()).unwrap().iter().zip(BUDGETS) {
        #[allow(clippy::cast_precision_loss, reason = "bytes of one binary")]
        let weighs = built.zip_bytes as f64 / 1e6;
        assert!(weighs <= megabytes, "{name} weighs {weighs:.3} MB as a zip file, and may weigh {megabytes}");
    }
}

#[test]
fn a_record_is_logged_within_its_budget() {
    for (function, (name, _, bytes)) in FUNCTIONS.iter().zip(BUDGETS) {
        let Some(bytes) = bytes else { continue };
        let grown = growth::measure(std::slice::from_ref(function), &[100], &Progress::silent()).unwrap();
        let logged = grown.first().unwrap_or_else(|| panic!("{name} has records")).log_bytes_a_record;
        assert!(logged > 0.0 && logged <= bytes, "{name} logs {logged:.0} bytes a record, and may log {bytes}");
    }
}

#[test]
fn nothing_is_read_at_the_start_that_the_first_event_does_not_need() {
    let counted = trace::count(&FUNCTIONS, 0, &Progress::silent()).unwrap();
    if counted.is_empty() {
        eprintln!("NOT TESTED: files opened at the start are counted by strace, which is not installed");
    }
    for counts in counted {
        assert!(counts.files.len() <= FILES, "{} opens {:?}", counts.name, counts.files);
        let certificates = counts.files.iter().find(|file| file.contains("/ssl/") || file.contains("/pki/"));
        assert_eq!(certificates, None, "{} reads certificates before it calls AWS", counts.name);
    }
}
