//! What the toolkit and the SDK warn of, on stderr.

use std::io::{self, Write};

use tracing::Level;
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::Output;

/// What the command says itself: of each message, and of credentials that could not be had.
const SAID_ANYWAY: [&str; 2] = ["sluicegate::delivery::log", "aws_config::profile::credentials"];

impl Output {
    /// From now on warnings are shown, and with `verbose` more.
    pub(crate) fn show_warnings(self, verbose: u8) {
        let (toolkit, others) = match verbose {
            0 => (Level::WARN, Level::WARN),
            1 => (Level::DEBUG, Level::INFO),
            _ => (Level::TRACE, Level::DEBUG),
        };
        let mut levels = Targets::new().with_default(others).with_target("sluicegate", toolkit);
        if verbose == 0 {
            levels =
                levels.with_targets(SAID_ANYWAY.map(|target| (target, tracing_subscriber::filter::LevelFilter::OFF)));
        }
        let lines = fmt::layer().without_time().with_target(verbose > 0).with_ansi(false).with_writer(Notes(self));
        // A second call keeps the first: tests in one process may both ask for one.
        let _ = tracing_subscriber::registry().with(lines).with(levels).try_init();
    }
}

/// Each line is a note.
#[derive(Debug, Clone, Copy)]
struct Notes(Output);

impl Write for Notes {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.note(String::from_utf8_lossy(line).trim());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Notes {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}
