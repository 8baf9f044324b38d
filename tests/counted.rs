//! Figures that can be counted, and so do not move with the load of the machine: when one slips, a test fails.
//!
//! `docs/performance.md` has them beside the timed ones, which `make bench` measures and no test judges. Requests a
//! message are counted in `poller`.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use bench::{
    built, growth,
    manifest::{Manifest, manifests},
    progress::Progress,
    subject::{BARE, Places, Subject},
    trace,
};

use crate::{lambda::path_of, repository::root};

/// Files that may be opened before the first event is asked for.
const FILES: usize = 12;

/// Every function of the template, with its typical event. Nobody listens at the endpoint.
static FUNCTIONS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let bootstraps = path_of("sns-logger").parent().and_then(Path::parent).unwrap().to_owned();
    let places = Places { root: root(), bootstraps, stock: None, python: None };
    places.functions("http://127.0.0.1:1", |name| name != BARE).unwrap()
});

/// What each function's `Cargo.toml` says of it.
static MANIFESTS: LazyLock<BTreeMap<String, Manifest>> = LazyLock::new(|| manifests(&root()).unwrap());

#[test]
fn every_function_says_what_it_may_weigh_and_log() {
    let said: Vec<&String> = MANIFESTS.keys().collect();
    let built: Vec<&String> = FUNCTIONS.iter().map(|function| &function.name).collect();
    assert_eq!(built, said, "[package.metadata.sluicegate] of the functions' Cargo.toml");
}

#[test]
fn a_function_is_no_larger_than_it_says() {
    for built in built::weigh(&FUNCTIONS, &Progress::silent()).unwrap() {
        #[allow(clippy::cast_precision_loss, reason = "bytes of one binary")]
        let weighs = built.zip_bytes as f64 / 1e6;
        let may = MANIFESTS[&built.name].zip_megabytes;
        assert!(weighs <= may, "{} weighs {weighs:.3} MB as a zip file, and may weigh {may}", built.name);
    }
}

#[test]
fn a_record_is_logged_within_what_its_function_says() {
    for function in FUNCTIONS.iter() {
        let (name, Some(may)) = (&function.name, MANIFESTS[&function.name].log_bytes_a_record) else { continue };
        let grown = growth::measure(std::slice::from_ref(function), &[100], &Progress::silent()).unwrap();
        let logged = grown.first().unwrap_or_else(|| panic!("{name} has records")).log_bytes_a_record;
        assert!(logged > 0.0 && logged <= may, "{name} logs {logged:.0} bytes a record, and may log {may}");
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
