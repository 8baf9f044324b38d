//! The function's settings.

use sluicegate::settings::Settings;

use crate::thumbnail::Bounds;

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
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
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let thumbnail_bucket = settings.required("THUMBNAIL_BUCKET");
        let max_object_bytes = settings.within("MAX_OBJECT_BYTES", 50 << 20, 1 << 10..=1 << 30);
        let bounds = Bounds {
            max_pixels: settings.within("MAX_PIXELS", 50_000_000, 1_000_000..=1_000_000_000),
            side: settings.within("THUMBNAIL_PIXELS", 256, 16..=2_048),
        };
        Some(Self { thumbnail_bucket: thumbnail_bucket?, max_object_bytes, bounds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let mut settings = Settings::new(&|name: &str| match name {
            "MAX_OBJECT_BYTES" => Some("50 MB".to_owned()),
            "MAX_PIXELS" | "THUMBNAIL_PIXELS" => Some("0".to_owned()),
            _ => None,
        });
        let config = Config::read(&mut settings);
        let error = settings.finish_with(|| config).unwrap_err().to_string();
        for name in ["THUMBNAIL_BUCKET", "MAX_OBJECT_BYTES", "MAX_PIXELS", "THUMBNAIL_PIXELS"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
