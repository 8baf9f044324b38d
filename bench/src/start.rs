//! Starts and warm answers: a process from its birth to some hundred answers, over and over.
//!
//! The subjects take turns, round after round, so that what disturbs the machine disturbs all of them.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    process::{LIMIT, Running},
    progress::Progress,
    statistic::{median, percentile},
    subject::{Kind, Subject},
};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Lives of each subject.
    pub rounds: usize,
    /// Warm answers in each life.
    pub trips: usize,
    /// Answers before the warm ones: the first events pay for what is made at first use.
    pub uncounted: usize,
}

/// What was measured of one subject. Medians over the rounds; times in the unit of the name.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The subject.
    pub name: String,
    /// From the birth of the process to its first request for an event.
    pub init_ms: f64,
    /// The same, the slowest of a hundred.
    pub init_p99_ms: f64,
    /// On a processor until it asks for its first event.
    pub init_cpu_ms: f64,
    /// From the birth of the process to its first answer.
    pub first_answer_ms: f64,
    /// An event there and its answer back.
    pub warm_us: f64,
    /// The same, the slowest of a hundred.
    pub warm_p99_us: f64,
    /// On a processor, an event.
    pub cpu_us: f64,
    /// What the bare echo takes for the same event.
    pub echo_warm_us: f64,
    /// The same, on a processor.
    pub echo_cpu_us: f64,
    /// Page faults until it asks for its first event.
    pub faults_at_init: f64,
    /// Page faults a warm event.
    pub faults_an_event: f64,
    /// Resident when it asks for its first event.
    pub resident_at_init_mib: f64,
    /// Resident at the most.
    pub peak_mib: f64,
    /// What it logs of a warm event.
    pub log_bytes_an_event: f64,
}

/// One life of one process.
#[derive(Debug, Default)]
struct Life {
    init: Duration,
    init_cpu: Duration,
    first_answer: Duration,
    warm: Vec<Duration>,
    cpu: Duration,
    faults: (u64, u64),
    resident: (u64, u64),
    log_bytes: u64,
}

/// The lives of a subject, and those of a bare echo that got the same event.
#[derive(Debug, Default)]
struct Lives {
    own: Vec<Life>,
    echo: Vec<Life>,
}

/// Measures all subjects, in turns; each besides the first beside an echo of its own event.
pub(crate) fn measure(subjects: &[Subject], effort: Effort, progress: &Progress) -> Result<Vec<Figures>> {
    let bare = subjects.iter().find(|subject| subject.kind == Kind::Bare).context("no bare echo to compare with")?;
    let mut lives: Vec<Lives> = subjects.iter().map(|_| Lives::default()).collect();
    for round in 0..effort.rounds {
        for (subject, lives) in subjects.iter().zip(&mut lives) {
            let name = &subject.name;
            progress.say(&format!("starts and warm answers: round {} of {}, {name}", round + 1, effort.rounds));
            // A peer takes a hundred times as long to start, and its figures do not decide anything.
            if subject.kind == Kind::Peer && round >= effort.rounds.div_ceil(3) {
                continue;
            }
            lives.own.push(live(subject, effort).with_context(|| name.clone())?);
            lives.echo.push(live(&bare.given(&subject.event), effort).with_context(|| bare.name.clone())?);
        }
    }
    Ok(subjects.iter().zip(&lives).map(|(subject, lives)| summed_up(subject, lives)).collect())
}

fn live(subject: &Subject, effort: Effort) -> Result<Life> {
    let process = Running::start(subject)?;
    let init = process.ready()?;
    let (at_init, resident_at_init) = (process.usage()?, process.memory()?.resident);
    let invoke = |times| process.api.invoke(&subject.event, times, LIMIT).with_context(|| process.logged());
    let first = invoke(1)?;
    invoke(effort.uncounted)?;
    let (before, logged_before) = (process.usage()?, process.logged_bytes()?);
    let warm = invoke(effort.trips)?.took;
    let (after, logged_after) = (process.usage()?, process.logged_bytes()?);
    Ok(Life {
        init,
        init_cpu: at_init.cpu,
        first_answer: init + first.took.iter().sum::<Duration>(),
        warm,
        cpu: after.cpu.saturating_sub(before.cpu),
        faults: (at_init.faults, after.faults - before.faults),
        resident: (resident_at_init, process.memory()?.peak),
        log_bytes: logged_after - logged_before,
    })
}

fn summed_up(subject: &Subject, lives: &Lives) -> Figures {
    let Lives { own, echo } = lives;
    let (warm, init) = (warm_us(own), each(own, |life| milliseconds(life.init)));
    Figures {
        name: subject.name.clone(),
        init_ms: median(&init),
        init_p99_ms: percentile(&init, 99.0),
        init_cpu_ms: median(&each(own, |life| milliseconds(life.init_cpu))),
        first_answer_ms: median(&each(own, |life| milliseconds(life.first_answer))),
        warm_us: median(&warm),
        warm_p99_us: percentile(&warm, 99.0),
        cpu_us: median(&each(own, cpu_us)),
        echo_warm_us: median(&warm_us(echo)),
        echo_cpu_us: median(&each(echo, cpu_us)),
        faults_at_init: median(&each(own, |life| whole(life.faults.0))),
        faults_an_event: median(&each(own, |life| whole(life.faults.1) / trips(life))),
        resident_at_init_mib: median(&each(own, |life| whole(life.resident.0) / 1024.0)),
        peak_mib: median(&each(own, |life| whole(life.resident.1) / 1024.0)),
        log_bytes_an_event: median(&each(own, |life| whole(life.log_bytes) / trips(life))),
    }
}

fn each(lives: &[Life], figure: impl Fn(&Life) -> f64) -> Vec<f64> {
    lives.iter().map(figure).collect()
}

fn warm_us(lives: &[Life]) -> Vec<f64> {
    lives.iter().flat_map(|life| &life.warm).map(|took| took.as_secs_f64() * 1e6).collect()
}

fn cpu_us(life: &Life) -> f64 {
    life.cpu.as_secs_f64() * 1e6 / trips(life)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn trips(life: &Life) -> f64 {
    whole(life.warm.len().max(1) as u64)
}

#[allow(clippy::cast_precision_loss, reason = "counts of at most some millions")]
fn whole(count: u64) -> f64 {
    count as f64
}
