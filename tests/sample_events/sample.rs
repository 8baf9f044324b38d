//! The files under `events/`, and who takes them.

use std::path::{Path, PathBuf};

use super::function::Function;

/// The functions that take a sample, as `events/README.md` says; `None` where nobody has said.
pub(crate) fn takers(sample: &str) -> Option<&'static [Function]> {
    use Function::{
        FirehoseTransformer, KinesisLogger, MqLogger, ObjectLogger, Poller, SnsLogger, Thumbnailer, Worker,
    };
    let takers: &[Function] = match sample.split_once('/')? {
        ("s3", _) | ("eventbridge", "cloudtrail-call") => &[ObjectLogger],
        ("sns", case) if case.starts_with("s3-") => &[SnsLogger, ObjectLogger],
        ("sns", _) => &[SnsLogger],
        ("sqs", case) if case.starts_with("s3-") => &[Worker, ObjectLogger, Thumbnailer],
        ("sqs" | "dispatch", _) => &[Worker],
        ("eventbridge", case) if case.starts_with("object-") => &[ObjectLogger],
        // Read by the crate; no function of the workspace takes a table's stream.
        ("dynamodb", _) => &[],
        ("eventbridge", "scheduled-event") | ("schedule", _) => &[Poller],
        ("eventbridge", "custom-event") => &[ObjectLogger, Poller],
        ("kinesis", _) => &[KinesisLogger],
        ("mq", _) => &[MqLogger],
        ("firehose", _) => &[FirehoseTransformer],
        ("garbage", _) => {
            &[FirehoseTransformer, KinesisLogger, MqLogger, ObjectLogger, Poller, SnsLogger, Thumbnailer, Worker]
        }
        _ => return None,
    };
    Some(takers)
}

/// `events/`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// Every sample by name, in order. `data/` holds no events.
pub(crate) fn samples() -> Vec<String> {
    let folders = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<String> = folders
        .filter(|path| path.is_dir() && !path.ends_with("data"))
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| name(&entry.unwrap().path()))
        .collect();
    samples.sort();
    samples
}

/// A sample's name: `s3/object-created` for `…/events/s3/object-created.json`.
pub(crate) fn name(path: &Path) -> String {
    let source = path.parent().and_then(Path::file_name).unwrap();
    format!("{}/{}", source.display(), path.file_stem().unwrap().display())
}

/// The event of a sample.
pub(crate) fn read(sample: &str) -> String {
    let path = folder().join(format!("{sample}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
