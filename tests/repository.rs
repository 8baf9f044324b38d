//! Where the files are that the tests read.

use std::path::{Path, PathBuf};

use sluicegate::settings::environment;

/// The repository's root; `SLUICEGATE_ROOT` names another clone's, in which functions were made.
pub(crate) fn root() -> PathBuf {
    environment("SLUICEGATE_ROOT").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), PathBuf::from)
}
