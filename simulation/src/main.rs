//! `simulate`: lives through seeds and says what was violated. Exit code 1 unless nothing was.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use simulation::{Lived, shrink, simulate};

/// Lives through seeds of the simulated AWS with the real worker and poller, and checks every promise over each.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds, from the first.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One seed alone, with its timeline.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Stop at the first seed that breaks a promise, and name both.
    #[arg(long, conflicts_with = "seed")]
    until_found: bool,
    /// Name the seeds that break a promise, and make none of them small.
    #[arg(long, conflicts_with = "seed")]
    brief: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // A handler that panics is part of many scenarios.
    std::panic::set_hook(Box::new(|_| {}));
    match args.seed {
        Some(seed) => one(seed),
        None if args.until_found => until_found(args.from, args.seeds),
        None => many(args.from, args.seeds, if args.brief { 0 } else { TOLD }),
    }
}

/// One seed, with all that happened.
fn one(seed: u64) -> ExitCode {
    let lived = simulate(seed);
    say(&lived.timeline(None));
    let violations = lived.violations.len();
    tell(seed, lived);
    sum_up(1, Duration::ZERO, violations)
}

/// Seeds up to the first that breaks a promise. Exit code 0 when one did: the code under test has a fault.
fn until_found(from: u64, seeds: u64) -> ExitCode {
    let next = AtomicU64::new(from);
    let found: Mutex<Option<(u64, Lived)>> = Mutex::default();
    let is_before = |seed: u64| {
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.as_ref().is_none_or(|(first, _)| seed < *first)
    };
    let worker = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= from + seeds || !is_before(seed) {
            return;
        }
        let lived = simulate(seed);
        if !lived.violations.is_empty() && is_before(seed) {
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some((seed, lived));
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some((seed, lived)) = found else {
        say(&format!("not found by {seeds} seeds"));
        return ExitCode::FAILURE;
    };
    say(&format!("found by seed {seed}: {}", lived.violations[0]));
    ExitCode::SUCCESS
}

/// Each costs hundreds of lives to make small: a handful is enough to begin with.
const TOLD: usize = 5;

fn many(from: u64, seeds: u64, told: usize) -> ExitCode {
    let next = AtomicU64::new(from);
    let simulated = Mutex::new(Duration::ZERO);
    let broken: Mutex<Vec<(u64, Lived)>> = Mutex::default();
    let progress = ProgressBar::new(seeds);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {msg}, {eta} left") {
        progress.set_style(style);
    }
    let worker = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= from + seeds {
            return;
        }
        let lived = simulate(seed);
        *simulated.lock().unwrap_or_else(PoisonError::into_inner) += lived.lasted;
        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
        if !lived.violations.is_empty() {
            broken.push((seed, lived));
        }
        progress.set_message(format!("{} with violations", broken.len()));
        progress.inc(1);
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    progress.finish_and_clear();
    let simulated = *simulated.lock().unwrap_or_else(PoisonError::into_inner);
    let mut broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    broken.sort_by_key(|(seed, _)| *seed);
    let violations = broken.len();
    for (seed, lived) in broken.drain(..broken.len().min(told)) {
        tell(seed, lived);
    }
    for (seed, lived) in &broken {
        say(&format!("seed {seed}: {}", lived.violations[0]));
    }
    sum_up(seeds, simulated, violations)
}

/// Tells of a violation, made as small as it can be.
fn tell(seed: u64, lived: Lived) {
    if lived.violations.is_empty() {
        return;
    }
    let small = shrink(lived);
    say(&format!("\nseed {seed}, made small: {:#?}", small.scenario));
    say(&small.timeline(None));
    for violation in &small.violations {
        say(&format!("seed {seed}: {violation}"));
    }
}

fn sum_up(seeds: u64, simulated: Duration, violations: usize) -> ExitCode {
    say(&format!("{seeds} seeds, {} simulated days, {violations} violations", simulated.as_secs() / 86_400));
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::print_stdout, reason = "this is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}
