//! The function's settings.

use sluicegate::{
    delivery::QueueSettings,
    settings::{Settings, SettingsError},
};

use crate::thumbnail::Bounds;

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function on a queue is set by. `BATCH_CONCURRENCY` has no effect: one image is worked on at a time.
    pub queue: QueueSettings,
    /// `THUMBNAIL_BUCKET`: where thumbnails go, under the keys of their originals. Not the bucket of the originals.
    pub thumbnail_bucket: String,
    /// `MAX_OBJECT_BYTES` (1 KiB to 1 GiB, default 50 MiB): larger objects are rejected, unread.
    pub max_object_bytes: u64,
    /// `MAX_PIXELS` (1 million to 1,000 million, default 50 million): images with more are rejected, undecoded; memory
    /// goes by it, see [`Bounds`]. `THUMBNAIL_PIXELS` (16 to 2,048, default 256): the longest side of a thumbnail.
    pub bounds: Bounds,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let mut queue = QueueSettings::read(&mut settings);
        queue.policy.concurrency = 1;
        let thumbnail_bucket = settings.required("THUMBNAIL_BUCKET");
        let max_object_bytes = settings.within("MAX_OBJECT_BYTES", 50 << 20, 1 << 10..=1 << 30);
        let bounds = Bounds {
            max_pixels: settings.within("MAX_PIXELS", 50_000_000, 1_000_000..=1_000_000_000),
            side: settings.within("THUMBNAIL_PIXELS", 256, 16..=2_048),
        };
        settings.finish_with(|| Some(Self { queue, thumbnail_bucket: thumbnail_bucket?, max_object_bytes, bounds }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let wrong = |name: &str| match name {
            "MAX_OBJECT_BYTES" => Some("50 MB".to_owned()),
            "MAX_PIXELS" | "THUMBNAIL_PIXELS" => Some("0".to_owned()),
            "UNKNOWN_DEADLINE_MS" => Some("soon".to_owned()),
            _ => None,
        };
        let error = Config::from_lookup(&wrong).unwrap_err().to_string();
        for name in ["THUMBNAIL_BUCKET", "MAX_OBJECT_BYTES", "MAX_PIXELS", "THUMBNAIL_PIXELS", "UNKNOWN_DEADLINE_MS"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }

    #[test]
    fn one_image_is_worked_on_at_a_time_whatever_is_set() {
        let lookup = |name: &str| match name {
            "THUMBNAIL_BUCKET" => Some("thumbnails".to_owned()),
            "BATCH_CONCURRENCY" => Some("10".to_owned()),
            _ => None,
        };
        assert_eq!(Config::from_lookup(&lookup).unwrap().queue.policy.concurrency, 1);
    }
}
