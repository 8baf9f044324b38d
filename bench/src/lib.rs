//! What each function costs, beside a bare `lambda_runtime` echo and beside peers in other languages.
//!
//! The binary is `make bench`; the tests hold the counted figures with what is here. `docs/performance.md` says what
//! each figure is. Timed figures are ratios within one run and never fail a test; counted ones do.

pub mod built;
mod certificate;
mod endpoint;
mod events;
pub mod growth;
mod http;
pub mod manifest;
mod plot;
pub mod poller;
mod process;
pub mod progress;
pub mod report;
pub mod run;
mod runtime_api;
pub mod start;
mod statistic;
pub mod subject;
pub mod table;
pub mod trace;
