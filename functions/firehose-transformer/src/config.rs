//! The function's settings.

use std::time::Duration;

use sluicegate::settings::{Settings, SettingsError};

use crate::drop_rule::DropRule;

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// `DROP_WHEN`: lines of no use at the destination, `field=value` pairs with commas between. Default: none.
    pub drop_rule: DropRule,
    /// `UNKNOWN_DEADLINE_MS` (default 3,000): the time a batch takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let drop_rule = settings.or("DROP_WHEN", DropRule::default());
        let unknown_deadline = Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", 3_000, 1_000..=900_000));
        settings.finish(Self { drop_rule, unknown_deadline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let wrong = |name: &str| match name {
            "DROP_WHEN" => Some("debug".to_owned()),
            "UNKNOWN_DEADLINE_MS" => Some("soon".to_owned()),
            _ => None,
        };
        let error = Config::from_lookup(&wrong).unwrap_err().to_string();
        for part in ["DROP_WHEN", r#""debug" has no ="#, "UNKNOWN_DEADLINE_MS"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
