//! Configuration, read once and whole, with every wrong setting named in one error.

use std::{error::Error, fmt, str::FromStr};

/// Looks settings up by name, and remembers what was wrong with them.
///
/// An empty value counts as not set: a template cannot leave a variable out, only leave it empty.
///
/// ```
/// use sluicegate::settings::Settings;
///
/// let mut settings = Settings::new(&|name| (name == "BATCH_SIZE").then(|| "ten".to_owned()));
/// let batch_size: u32 = settings.or("BATCH_SIZE", 50);
/// let queue_url: Option<String> = settings.required("QUEUE_URL");
/// let problems = settings.finish_with(|| Some((batch_size, queue_url?))).unwrap_err();
/// assert_eq!(
///     problems.to_string(),
///     r#"BATCH_SIZE is "ten", which is not a value it takes (invalid digit found in string); QUEUE_URL is not set"#,
/// );
/// ```
pub struct Settings<'l> {
    lookup: Lookup<'l>,
    problems: Vec<String>,
}

/// How settings are found by name.
pub type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// Every setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<String>,
}

impl<'l> Settings<'l> {
    /// Builds something from settings; `None` from `build` says that one which must be there is not.
    pub fn of<C>(lookup: Lookup<'l>, build: impl FnOnce(&mut Self) -> Option<C>) -> Result<C, SettingsError> {
        let mut settings = Self::new(lookup);
        let config = build(&mut settings);
        settings.finish_with(|| config)
    }

    /// Reads through `lookup`: [`environment`] in a function's `main`, a closure in tests.
    pub fn new(lookup: Lookup<'l>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// A setting that may be absent.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text = (self.lookup)(name).filter(|text| !text.trim().is_empty())?;
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(format!("{name} is {text:?}, which is not a value it takes ({problem})"));
                None
            }
        }
    }

    /// A setting with a default.
    pub fn or<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.optional(name).unwrap_or(default)
    }

    /// A number with a default and the least and the most that make sense.
    pub fn within<T>(&mut self, name: &str, default: T, range: std::ops::RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
        T::Err: fmt::Display,
    {
        self.optional_within(name, range).unwrap_or(default)
    }

    /// A number that may be absent, with the least and the most that make sense.
    pub fn optional_within<T>(&mut self, name: &str, range: std::ops::RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
        T::Err: fmt::Display,
    {
        let value = self.optional(name)?;
        if range.contains(&value) {
            return Some(value);
        }
        self.problems.push(format!("{name} is {value}, outside {} to {}", range.start(), range.end()));
        None
    }

    /// A setting there is no default for. `None` only when it is a problem: [`Settings::finish`] fails then.
    pub fn required<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let problems = self.problems.len();
        let value = self.optional(name);
        if value.is_none() && self.problems.len() == problems {
            self.problems.push(format!("{name} is not set"));
        }
        value
    }

    /// Remembers a problem that is no single setting's: two that do not go together.
    pub fn refuse(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Hands the finished configuration over, or every problem found on the way.
    pub fn finish<C>(self, config: C) -> Result<C, SettingsError> {
        self.finish_with(|| Some(config))
    }

    /// As [`Settings::finish`], for a configuration made of settings that are [`Settings::required`]: `build` gives
    /// `None` only where one of them did.
    pub fn finish_with<C>(self, build: impl FnOnce() -> Option<C>) -> Result<C, SettingsError> {
        let config = if self.problems.is_empty() { build() } else { None };
        config.ok_or(SettingsError { problems: self.problems })
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl Error for SettingsError {}

/// The process's environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_setting_counts_as_absent() {
        let mut settings = Settings::new(&|_| Some(" ".to_owned()));
        assert_eq!(settings.or("BATCH_SIZE", 50), 50);
        settings.finish(()).unwrap();
    }

    #[test]
    fn a_number_outside_its_range_is_named_with_the_range() {
        let mut settings = Settings::new(&|_| Some("0".to_owned()));
        settings.within("RECEIVERS", 2_u32, 1..=10);
        assert_eq!(settings.finish(()).unwrap_err().to_string(), "RECEIVERS is 0, outside 1 to 10");
    }
}
