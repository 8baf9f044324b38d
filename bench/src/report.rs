//! Everything that one run has measured.

use serde::Serialize;

use crate::{
    built::Built,
    growth::Grown,
    poller::{Drained, FirstTls},
    start::Figures,
    statistic::slope,
    subject::BARE,
    trace::Counts,
};

/// Sizes from which on growth is judged: below, what an event costs by itself is larger than what its records cost.
const LARGE: f64 = 100.0;

/// What reading may cost, in echoes of the same event.
const READING: [(&str, f64); 5] = [
    ("sqs-worker: 10 × 1 KiB of text", 1.0),
    ("sqs-worker: 10 × 1 KiB of fields", 1.0),
    ("sqs-worker: 10 × 64 KiB of text", 0.6),
    ("sqs-worker: 10 × 64 KiB of fields", 0.6),
    ("s3-object-logger: 1,000 records", 0.45),
];

/// What is written as JSON. A part that was not asked for, or could not be measured, is empty.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Starts and warm answers.
    pub starts: Vec<Figures>,
    /// Large events, each beside an echo of it.
    pub events: Vec<Figures>,
    /// Files and system calls.
    pub counts: Vec<Counts>,
    /// Sizes.
    pub built: Vec<Built>,
    /// Records an event.
    pub growth: Vec<Grown>,
    /// Messages of a queue.
    pub poller: Vec<Drained>,
    /// Cold starts with a request over TLS.
    pub first_tls: Option<FirstTls>,
    /// The bounds, and where this run is.
    pub targets: Vec<Target>,
}

/// A bound that a figure is held to.
#[derive(Debug, Serialize)]
pub struct Target {
    /// The function.
    pub name: String,
    /// The figure, with its unit.
    pub what: &'static str,
    /// The bound.
    pub at_most: f64,
    /// The figure of this run.
    pub reached: f64,
}

impl Target {
    /// Whether the figure is within its bound.
    pub(crate) fn is_met(&self) -> bool {
        self.reached <= self.at_most
    }
}

impl Report {
    /// What the ratios are to.
    pub(crate) fn bare(&self) -> Option<&Figures> {
        self.starts.iter().find(|figures| figures.name == BARE)
    }

    /// What was counted of a function.
    pub(crate) fn counts_of(&self, name: &str) -> Option<&Counts> {
        self.counts.iter().find(|counts| counts.name == name)
    }

    /// A function's sizes, the smallest first.
    pub(crate) fn growth_of(&self, name: &str) -> Vec<&Grown> {
        self.growth.iter().filter(|grown| grown.name == name).collect()
    }

    /// The functions that grow, each once.
    pub(crate) fn growing(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.growth.iter().map(|grown| grown.name.as_str()).collect();
        names.dedup();
        names
    }

    /// How a function's figure grows with its records.
    pub(crate) fn growth_slope(&self, name: &str, figure: impl Fn(&Grown) -> f64) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "sizes of at most some hundred thousands")]
        let points = self.growth_of(name).into_iter().map(|grown| (grown.records as f64, figure(grown)));
        slope(&points.filter(|(records, _)| *records >= LARGE).collect::<Vec<_>>())
    }

    /// How the time of the poller's run grows with its messages.
    pub(crate) fn poller_slope(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "sizes of at most some hundred thousands")]
        let points = self.poller.iter().filter(|run| !run.tls).map(|run| (run.messages as f64, run.took_ms));
        slope(&points.collect::<Vec<_>>())
    }
}

/// The bounds of the design, and where this run is.
pub(crate) fn targets(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    for (name, at_most) in READING {
        if let Some(own) = report.events.iter().find(|figures| figures.name == name) {
            let reached = own.cpu_us / own.echo_cpu_us;
            targets.push(Target { name: name.to_owned(), what: "CPU, × echo", at_most, reached });
        }
    }
    for built in report.built.iter().filter(|built| built.name != BARE && !built.stock) {
        of_function(report, built, &mut targets);
    }
    let mut poller = |what, at_most, reached| {
        targets.push(Target { name: "scheduled-poller".to_owned(), what, at_most, reached });
    };
    if let Some((bare, tls)) = report.bare().zip(report.first_tls.as_ref()) {
        poller("first answer over TLS, × bare", 3.0, tls.first_answer_ms / bare.first_answer_ms);
    }
    if let Some(run) = report.poller.iter().filter(|run| !run.tls).max_by_key(|run| run.messages) {
        poller("CPU a message, µs", 25.0, run.cpu_us_a_message);
        // A tenth more is the worker's: one delete for ten messages.
        poller("requests a message, its own", 0.2, run.requests_a_message);
    }
    targets
}

fn of_function(report: &Report, built: &Built, targets: &mut Vec<Target>) {
    let mut target = |what, at_most, reached| {
        targets.push(Target { name: built.name.clone(), what, at_most, reached });
    };
    let by_sdk = |with, without| if built.sdk { with } else { without };
    let figures = report.starts.iter().find(|figures| figures.name == built.name);
    if let Some((bare, own)) = report.bare().zip(figures) {
        target("init, × bare", by_sdk(1.15, 1.0), own.init_ms / bare.init_ms);
        target("warm answer, × echo", 1.1, own.warm_us / own.echo_warm_us);
        target("CPU of a warm event, × echo", 1.1, own.cpu_us / own.echo_cpu_us);
        target("peak RSS, × bare", by_sdk(1.6, 1.1), own.peak_mib / bare.peak_mib);
    }
    #[allow(clippy::cast_precision_loss, reason = "bytes of one binary")]
    target("zip, MB", by_sdk(2.6, 0.9), built.zip_bytes as f64 / 1e6);
    if let Some(counts) = report.counts_of(&built.name) {
        #[allow(clippy::cast_precision_loss, reason = "some dozens of files")]
        target("files before the first event", 12.0, counts.files.len() as f64);
    }
    if let Some(largest) = report.growth_of(&built.name).last() {
        target("log bytes a record", 175.0, largest.log_bytes_a_record);
    }
}
