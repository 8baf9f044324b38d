//! What each function makes of every file under `events/`.
//!
//! The files go through the real handlers; only the ports are fakes. Answer, calls and log lines are kept in
//! `snapshots/`, by function and file. Snapshots show every change; what `events/README.md` promises is asserted in
//! [`promise`], so that a snapshot accepted by mistake cannot hide it.

pub(crate) mod capture;
mod function;
mod mutation;
pub(crate) mod port;
mod promise;
pub(crate) mod sample;

use insta::{assert_snapshot, glob};

use self::{
    function::Function,
    sample::{samples, takers},
};

/// Sends every sample the function takes through its handler, and compares what happened with the snapshots.
fn every_sample_gives_its_snapshot(function: Function) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        glob!("../../events", "*/*.json", |path| {
            let sample = sample::name(path);
            if takers(&sample).is_some_and(|takers| takers.contains(&function)) {
                let event = sample::read(&sample);
                insta::with_settings!({ snapshot_suffix => &sample }, {
                    assert_snapshot!(function.name(), function.invoke(&event).to_string());
                });
            }
        });
    });
}

#[test]
fn the_firehose_transformer_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::FirehoseTransformer);
}

#[test]
fn the_sns_logger_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::SnsLogger);
}

#[test]
fn the_object_logger_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::ObjectLogger);
}

#[test]
fn the_worker_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::Worker);
}

#[test]
fn the_poller_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::Poller);
}

#[test]
fn the_stream_logger_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::KinesisLogger);
}

#[test]
fn the_broker_logger_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::MqLogger);
}

#[test]
fn the_thumbnailer_does_with_each_sample_what_its_snapshot_says() {
    every_sample_gives_its_snapshot(Function::Thumbnailer);
}

#[test]
fn every_sample_is_taken_by_a_function() {
    for sample in samples() {
        assert!(
            takers(&sample).is_some(),
            "events/{sample}.json goes to no function: name those that take it in `takers` in \
             tests/sample_events/sample.rs, run the tests with INSTA_UPDATE=always, and read the new snapshots",
        );
    }
}

#[test]
fn every_sample_has_its_row_in_the_readme() {
    let readme = std::fs::read_to_string(sample::folder().join("README.md")).unwrap();
    for sample in samples() {
        let (source, case) = sample.split_once('/').unwrap();
        let section = readme.split("\n## ").find(|section| section.starts_with(&format!("{source}/")));
        let section = section.unwrap_or_else(|| panic!("events/README.md has no section `## {source}/: …`"));
        assert!(
            section.contains(&format!("| `{case}` |")),
            "events/README.md does not list {sample}: add a row that says what it shows and whence its shape comes",
        );
    }
}

#[test]
fn every_snapshot_is_of_a_sample_that_is_still_there() {
    let snapshots = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_events/snapshots");
    for snapshot in std::fs::read_dir(snapshots).unwrap() {
        let name = snapshot.unwrap().file_name().into_string().unwrap();
        let (function, sample) = name.trim_end_matches(".new").trim_end_matches(".snap").split_once('@').unwrap();
        let sample = sample.replacen("__", "/", 1);
        let is_taken = sample::folder().join(format!("{sample}.json")).is_file()
            && takers(&sample).is_some_and(|takers| takers.iter().any(|taker| taker.name() == function));
        assert!(is_taken, "tests/sample_events/snapshots/{name} is of a sample that is gone: delete it");
    }
}
