//! What the workspace promises as a whole, one promise a module.
//!
//! | module | holds | needs |
//! |---|---|---|
//! | `sample_events` | what each function makes of every file under `events/` | nothing |
//! | `layering` | the dependency rules | the built functions |
//! | `runtime_api` | how the built functions behave in Lambda | the built functions |
//! | `poller` | what the poller and the worker ask of AWS, counted | the built functions |
//!
//! `make build` builds the functions; `SLUICEGATE_BOOTSTRAPS` names another folder than `target/lambda`. Two more
//! modules are what these stand on: `lambda` runs a built function, `aws` is the AWS it calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sample_events;
