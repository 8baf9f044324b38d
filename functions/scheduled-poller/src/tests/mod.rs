//! Whole runs, over a queue and a worker in memory, on tokio's paused clock.

mod payloads;
mod properties;
mod runs;
mod world;
