//! One run: what is asked for, in its order.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::{
    built,
    certificate::Trust,
    endpoint::Endpoint,
    events, growth, plot, poller,
    progress::Progress,
    report::{Report, targets},
    start::{self, Effort},
    subject::{BARE, Places},
    trace,
};

/// Events over which system calls are counted.
const EVENTS_COUNTED: usize = 100;

/// Measures the built functions.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// Only these functions, by name; the bare echo is always measured
    #[arg(long, value_delimiter = ',')]
    functions: Vec<String>,
    /// Only these parts
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Part>,
    /// A tenth of the effort: minutes become seconds, and figures rough
    #[arg(long)]
    quick: bool,
    /// The folder with a folder a function, each with its `bootstrap`
    #[arg(long, default_value = "target/lambda")]
    bootstraps: PathBuf,
    /// What runs the Python peers: a Python with `awslambdaric` and boto3
    #[arg(long)]
    python: Option<PathBuf>,
    /// The same for the peers of stock Rust
    #[arg(long)]
    stock: Option<PathBuf>,
    /// Write the pictures to this folder too
    #[arg(long)]
    pictures: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Starts, warm answers, processor time, memory
    Starts,
    /// Large events, and stock Rust beside the functions
    Events,
    /// Sizes, files and system calls
    Counts,
    /// Records an event against time and memory
    Growth,
    /// The poller over long queues, and its first answer over TLS
    Poller,
}

/// Measures what is asked for, and keeps it as JSON under `target/bench`.
pub fn run(arguments: &Arguments) -> Result<Report> {
    let progress = Progress::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let places = Places {
        root,
        bootstraps: std::path::absolute(&arguments.bootstraps)?,
        stock: arguments.stock.as_deref().map(std::path::absolute).transpose()?,
        python: arguments.python.clone().filter(|python| python.is_file()),
    };
    if places.python.is_none() {
        progress.note("no Python with awslambdaric: its peers are left out");
    }
    let endpoint = Endpoint::plain()?;
    let report = measure(arguments, &places, &endpoint.url(), &folder, &progress)?;
    progress.done();
    keep(&report, &folder)?;
    plot::write(&report, &folder)?;
    if let Some(pictures) = &arguments.pictures {
        plot::write(&report, pictures)?;
    }
    Ok(report)
}

fn measure(
    arguments: &Arguments,
    places: &Places,
    endpoint: &str,
    folder: &Path,
    progress: &Progress,
) -> Result<Report> {
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let asked = |name: &str| arguments.functions.is_empty() || arguments.functions.iter().any(|asked| asked == name);
    let mut subjects = places.functions(endpoint, |name| name == BARE || asked(name))?;
    subjects.extend(places.stock(endpoint, asked)?);
    subjects.extend(places.peers(endpoint, asked)?);

    let (effort, rounds, most) = if arguments.quick {
        (Effort { rounds: 5, trips: 100, uncounted: 50 }, 3, 1_000)
    } else {
        (Effort { rounds: 31, trips: 500, uncounted: 50 }, 31, 10_000)
    };
    let up_to = |most: usize, sizes: &[usize]| sizes.iter().copied().filter(|size| *size <= most).collect::<Vec<_>>();
    let mut report = Report::default();
    if wanted(Part::Starts) {
        report.starts = start::measure(&subjects, effort, progress)?;
    }
    if wanted(Part::Events) {
        report.events = events::measure(places, &subjects, effort.rounds.min(11), progress)?;
    }
    if wanted(Part::Counts) {
        report.built = built::weigh(&subjects, progress)?;
        report.counts = trace::count(&subjects, EVENTS_COUNTED, progress)?;
    }
    if wanted(Part::Growth) {
        report.growth = growth::measure(&subjects, &up_to(most, &[1, 10, 100, 1_000, 10_000]), progress)?;
    }
    let poller = subjects.iter().find(|subject| subject.name == "scheduled-poller");
    if let Some(poller) = poller.filter(|_| wanted(Part::Poller)) {
        let trust = Trust::new(&places.root, folder)?;
        report.poller = poller::drain(poller, &up_to(most * 10, &[100, 1_000, 10_000, 100_000]), &trust, progress)?;
        report.first_tls = Some(poller::first_answers(poller, rounds, &trust, progress)?);
    }
    report.targets = targets(&report);
    Ok(report)
}

/// The latest run, in the place where the next one's is compared with it.
fn keep(report: &Report, folder: &Path) -> Result<()> {
    let latest = folder.join("latest.json");
    if latest.exists() {
        fs::rename(&latest, folder.join("previous.json"))?;
    }
    fs::write(&latest, serde_json::to_string_pretty(report)? + "\n")
        .with_context(|| format!("cannot write {}", latest.display()))
}
