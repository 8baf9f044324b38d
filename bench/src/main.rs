//! `make bench`: what each function costs, beside a bare `lambda_runtime` echo and beside peers in other languages.
//!
//! `docs/performance.md` says what each figure is. Timed figures are ratios within one run; counted ones are held by
//! the tests.

mod built;
mod certificate;
mod endpoint;
mod growth;
mod http;
mod plot;
mod poller;
mod process;
mod progress;
mod report;
mod run;
mod runtime_api;
mod start;
mod statistic;
mod subject;
mod table;
mod trace;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = run::Arguments::parse();
    match run::run(&arguments) {
        Ok(report) => {
            table::print(&report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            progress::Progress::new().note(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
