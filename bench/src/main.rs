//! `make bench`.

use std::process::ExitCode;

use bench::{
    progress::Progress,
    run::{Arguments, run},
    table,
};
use clap::Parser;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => {
            table::print(&report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            Progress::default().note(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
