//! What became of the messages.

use std::{cell::Cell, fmt};

use serde::Serialize;

/// Counts of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Tally {
    /// Received.
    pub received: u64,
    /// Worked on and deleted.
    pub done: u64,
    /// Failed; they come back.
    pub retried: u64,
    /// In the dead-letter queue.
    pub dead_lettered: u64,
    /// Rejected with no dead-letter queue known; they come back until the queue's redrive policy ends that.
    pub rejected: u64,
    /// Not worked on, visible again at once.
    pub given_back: u64,
    /// Stopped because another consumer may have them.
    pub abandoned: u64,
    /// Worked on but not deleted; they come again.
    pub not_deleted: u64,
    /// Calls of SQS.
    pub requests: u64,
}

/// A [`Tally`] that is counted up through a shared reference.
#[derive(Debug, Default)]
pub(crate) struct Counter(Cell<Tally>);

impl Counter {
    pub(crate) fn count(&self, count: impl FnOnce(&mut Tally)) {
        let mut tally = self.0.get();
        count(&mut tally);
        self.0.set(tally);
    }

    pub(crate) fn get(&self) -> Tally {
        self.0.get()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} received, {} done", self.received, self.done)?;
        for (count, what) in [
            (self.retried, "to retry"),
            (self.dead_lettered, "sent to the dead-letter queue"),
            (self.rejected, "rejected, left to the queue's redrive policy"),
            (self.given_back, "given back"),
            (self.abandoned, "abandoned"),
            (self.not_deleted, "done but not deleted"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, "; {} requests", self.requests)?;
        if self.received > 0 {
            #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
            let each = self.requests as f64 / self.received as f64;
            write!(f, " ({each:.3} a message)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_what_happened_and_nothing_else() {
        let tally = Tally { received: 1_000, done: 998, retried: 2, requests: 203, ..Tally::default() };
        assert_eq!(tally.to_string(), "1000 received, 998 done, 2 to retry; 203 requests (0.203 a message)");
        assert_eq!(Tally::default().to_string(), "0 received, 0 done; 0 requests");
    }
}
