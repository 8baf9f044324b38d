//! The values of log settings.

use std::{fmt, str::FromStr};

use tracing::{Level, level_filters::LevelFilter};

/// One JSON object a line, or text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For machines, and the default.
    #[default]
    Json,
    /// For eyes.
    Text,
}

/// Lambda's six levels.
pub(crate) struct LogLevel(pub(crate) LevelFilter);

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let filter = match text.to_ascii_uppercase().as_str() {
            "TRACE" => Level::TRACE.into(),
            "DEBUG" => Level::DEBUG.into(),
            "INFO" => Level::INFO.into(),
            "WARN" => Level::WARN.into(),
            "ERROR" => Level::ERROR.into(),
            "FATAL" => LevelFilter::OFF,
            _ => return Err(UnknownLevel),
        };
        Ok(Self(filter))
    }
}

impl FromStr for LogFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.to_ascii_uppercase().as_str() {
            "JSON" => Ok(Self::Json),
            "TEXT" => Ok(Self::Text),
            _ => Err(UnknownFormat),
        }
    }
}

#[derive(Debug)]
pub(crate) struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
    }
}

/// Neither `JSON` nor `Text`.
#[derive(Debug)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON or Text")
    }
}

/// A share, from 0 to 1.
pub(crate) struct SampleRate(pub(crate) f64);

impl FromStr for SampleRate {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        // As JSON reads numbers: the standard library's reader would be a second one in the binary.
        let rate = serde_json::from_str(text).map_err(|_| NoShare)?;
        if (0.0..=1.0).contains(&rate) { Ok(Self(rate)) } else { Err(NoShare) }
    }
}

#[derive(Debug)]
pub(crate) struct NoShare;

impl fmt::Display for NoShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 to 1")
    }
}
