//! `sluice`: queues and topics from the command line.
//!
//! | module | what it settles |
//! |---|---|
//! | `arguments` | all that can be typed |
//! | `global` | the options that every command takes |
//! | `usage` | arguments that make no sense together, and what exits with 3 |
//! | `context` | what every command gets |
//! | `command` | one command a file: its arguments, which are its help, and what it does |
//! | `connection` | credentials, region, endpoint, and AWS's refusals as sentences that say what to do |
//! | `queue_reference` | a queue by URL, ARN or name |
//! | `environment` | variables that are empty, and so unset |
//! | `input` | what is read: by lines, JSON values or whole |
//! | `batch` | many entries in few calls: full batches, each entry's fate, pace, signals |
//! | `attribute` | message attributes as arguments |
//! | `filter` | which messages are meant |
//! | `dead_letter` | who left a dead letter, why, and a look at all of a queue |
//! | `flow` | what leads where in an account, and where letters are left |
//! | `counters`, `redrive_policy` | what a queue says of itself |
//! | `monitor` | counters over time, drawn |
//! | `message` | a received message as people and scripts see it |
//! | `outgoing` | messages to send: limits and digests |
//! | `output` | the only place that prints: terminal or pipe, text or JSON, control characters |
//! | `stop` | Ctrl-C, SIGTERM and SIGHUP |
//! | `quantity` | durations, sizes and counts as people write them, in the ranges AWS takes |

mod arguments;
mod attribute;
mod batch;
mod command;
mod connection;
mod context;
mod counters;
mod dead_letter;
mod environment;
mod filter;
mod flow;
mod global;
mod input;
mod message;
mod monitor;
mod outgoing;
mod output;
mod quantity;
mod queue_reference;
mod redrive_policy;
mod stop;
mod usage;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{
    arguments::Arguments,
    context::Context,
    output::Output,
    usage::{Found, UsageError},
};

/// What the process answers. 2 is also what clap answers to arguments it cannot read.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FOUND: u8 = 3;

/// Does what the arguments say: exits with 0 when done, 1 when it failed, 2 when the arguments make no sense, 3 when
/// `sluice dead` found something.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    environment::begin_again_without_empty_variables();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are such an "error" too, with 0.
        Err(refusal) => refusal.exit(),
    };
    let output = Output::new(arguments.global.output);
    output.show_warnings(arguments.global.verbose);
    let context = Context { global: arguments.global, output };
    let mut outcome = Box::pin(arguments.command.run(&context)).await;
    // Whoever reads has read enough: `sluice receive … | head -1`.
    if outcome.as_ref().is_err_and(output::is_closed_pipe) {
        outcome = Ok(());
    }
    if let Err(error) = &outcome {
        context.output.error(error);
    }
    let printed = tokio::select! {
        printed = context.output.finish() => printed,
        // Whoever does not read what is left is left behind.
        () = stop::requested() => Ok(()),
    };
    if let (Ok(()), Err(error)) = (&outcome, printed) {
        context.output.error(&error);
        outcome = context.output.finish().await;
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<UsageError>() => ExitCode::from(USAGE),
        Err(error) => ExitCode::from(if error.is::<Found>() { FOUND } else { FAILED }),
    }
}
