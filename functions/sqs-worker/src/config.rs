//! The function's settings.

use sluicegate::{
    delivery::QueueSettings,
    settings::{Settings, SettingsError},
};

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function on a queue is set by.
    pub queue: QueueSettings,
    /// `ENABLE_DRILLS`, default false: whether jobs of type `Drill` run.
    pub enable_drills: bool,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let queue = QueueSettings::read(&mut settings);
        let enable_drills = settings.or("ENABLE_DRILLS", false);
        settings.finish(Self { queue, enable_drills })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let wrong = |name: &str| match name {
            "BATCH_CONCURRENCY" => Some("0".to_owned()),
            "DEAD_LETTER_QUEUES" => Some("jobs".to_owned()),
            "FAIL_WHOLE_BATCH" => Some("perhaps".to_owned()),
            _ => None,
        };
        let error = Config::from_lookup(&wrong).unwrap_err().to_string();
        for name in ["BATCH_CONCURRENCY", "DEAD_LETTER_QUEUES", "FAIL_WHOLE_BATCH"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
