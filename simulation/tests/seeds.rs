//! The seeds that `make test` lives through.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use simulation::{shrink, simulate};

/// The seeds of every run.
const SEEDS: u64 = 2_000;

/// Seeds beyond those that once found something, each with what it was.
const FOUND: [(u64, &str); 0] = [];

#[test]
fn every_promise_holds_in_two_thousand_seeds() {
    // A handler that panics is part of many scenarios: thousands of back traces say nothing.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let simulated = Mutex::new(Duration::ZERO);
    let broken = Mutex::new(Vec::new());
    let seeds: Vec<u64> = (0..SEEDS).chain(FOUND.iter().map(|(seed, _)| *seed)).collect();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(&seed) =
                    seeds.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX))
                {
                    let lived = simulate(seed);
                    *simulated.lock().unwrap() += lived.lasted;
                    if !lived.violations.is_empty() {
                        broken.lock().unwrap().push((seed, lived));
                    }
                }
            });
        }
    });
    drop(std::panic::take_hook());
    let hours = simulated.into_inner().unwrap().as_secs() / 3_600;
    println!("{} seeds, {hours} simulated hours in {:?}", seeds.len(), started.elapsed());
    let mut broken = broken.into_inner().unwrap();
    broken.sort_by_key(|(seed, _)| *seed);
    let all: Vec<String> = broken.iter().map(|(seed, lived)| format!("seed {seed}: {}", lived.violations[0])).collect();
    if let Some((seed, lived)) = broken.into_iter().next() {
        let small = shrink(lived);
        panic!("{}\n\nseed {seed}, made small:\n{}\nmake simulate SEED={seed}", all.join("\n"), small.timeline(None));
    }
}

#[test]
fn a_seed_lives_the_same_life_twice() {
    std::panic::set_hook(Box::new(|_| {}));
    for seed in 0..20 {
        assert_eq!(simulate(seed).timeline(None), simulate(seed).timeline(None), "seed {seed}");
    }
}
