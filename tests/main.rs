//! What the workspace promises as a whole, one promise a module.
//!
//! | module | holds | needs |
//! |---|---|---|
//! | `sample_events` | what each function makes of every file under `events/` | nothing |
//! | `layering` | the dependency rules | the built functions |
//! | `template` | what the code relies on in `template.yaml` | nothing |
//! | `documents` | that documents name only what is there | nothing |
//! | `examples` | what the crate's examples do, as programs | nothing |
//! | `log_lines` | that `docs/logging.md` lists every line | nothing |
//! | `runtime_api` | how the built functions behave in Lambda | the built functions |
//! | `command_line` | `sluice`, run as its users run it | a stack, see `stack` |
//! | `counted` | sizes, files and log bytes within their budgets | the built functions |
//! | `poller` | what the poller and the worker ask of AWS, counted | the built functions |
//!
//! `make build` builds the functions; `SLUICEGATE_BOOTSTRAPS` names another folder than `target/lambda`. The other
//! modules are what these stand on: `lambda` runs a built function, `aws` is the AWS it calls, `http` serves both.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod aws;
#[cfg(feature = "stack")]
mod command_line;
mod counted;
mod documents;
mod examples;
mod http;
mod lambda;
mod layering;
mod log_lines;
mod poller;
mod repository;
mod runtime_api;
mod sample_events;
#[cfg(feature = "stack")]
mod stack;
mod template;
