//! Progress, on a terminal and nowhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Output, writer};

/// Below this a bar would be gone before it is seen.
const WORTH_SHOWING: u64 = 20;

/// A bar on stderr, or nothing where no person looks at it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// `what` is counted, as in "messages".
    pub(crate) fn new(output: Output, total: u64, what: &'static str) -> Self {
        let bar = if output.has_progress() && total >= WORTH_SHOWING {
            ProgressBar::new(total)
        } else {
            ProgressBar::hidden()
        };
        if !bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {what}  {{per_sec}}  {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// A count that goes up, where nobody knows yet how far.
    pub(crate) fn open_ended(output: Output, what: &'static str) -> Self {
        let bar = if output.has_progress() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if !bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if let Ok(style) = ProgressStyle::with_template(&format!("{{spinner}} {{pos}} {what}  {{per_sec}}")) {
            bar.set_style(style);
        }
        Self { bar }
    }

    pub(crate) fn add(&self, count: u64) {
        self.bar.inc(count);
    }

    /// Prints with the bar out of the way.
    pub(crate) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.bar.is_hidden() {
            return print();
        }
        self.bar.suspend(|| {
            let printed = print();
            writer::settle();
            printed
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
