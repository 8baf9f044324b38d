//! What the bench is doing, on stderr: stdout is for the figures.

use std::{
    cell::Cell,
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// How often a line comes where no terminal redraws it.
const QUIET_INTERVAL: Duration = Duration::from_secs(15);

/// One line, redrawn on a terminal and seldom repeated elsewhere.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    last: Cell<Option<Instant>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { quiet: false, terminal: std::io::stderr().is_terminal(), last: Cell::new(None) }
    }
}

impl Progress {
    /// For whoever does not want to know.
    #[must_use]
    pub fn silent() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// What is being done now.
    pub fn say(&self, what: &str) {
        if self.quiet {
            return;
        }
        let mut stderr = std::io::stderr();
        // Nothing can be done about a stderr that is gone.
        if self.terminal {
            let _ = write!(stderr, "\r\x1b[2K{what}").and_then(|()| stderr.flush());
        } else if self.last.get().is_none_or(|last| last.elapsed() >= QUIET_INTERVAL) {
            let _ = writeln!(stderr, "{what}");
            self.last.set(Some(Instant::now()));
        }
    }

    /// Something to be kept in sight.
    pub fn note(&self, what: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        let _ = writeln!(std::io::stderr(), "{clear}{what}");
    }

    /// Nothing is being done any more.
    pub fn done(&self) {
        if self.terminal && !self.quiet {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
