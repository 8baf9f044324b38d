//! `sluice`: queues and topics from the command line.
//!
//! | module | what it settles |
//! |---|---|
//! | `arguments` | the commands and the options they share |
//! | `command` | one command a file: its arguments, which are its help, and what it does |
//! | `connection` | credentials, region, endpoint, and AWS's refusals as sentences that say what to do |
//! | `queue_reference` | a queue by URL, ARN or name |
//! | `message` | a received message as people and scripts see it |
//! | `outgoing` | messages to send: limits, batches, retries and digests |
//! | `output` | the only place that prints: terminal or pipe, text or JSON, control characters |
//! | `stop` | Ctrl-C and SIGTERM |
//! | `quantity` | durations, sizes and counts as people write them, in the ranges AWS takes |

mod arguments;
mod command;
mod connection;
mod message;
mod outgoing;
mod output;
mod quantity;
mod queue_reference;
mod stop;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{
    arguments::{Arguments, UsageError},
    command::Context,
    output::Output,
};

/// What the process answers. 2 is also what clap answers to arguments it cannot read.
const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Does what the arguments say: exits with 0 when done, 1 when it failed, 2 when the arguments make no sense.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are such an "error" too, with 0.
        Err(refusal) => refusal.exit(),
    };
    let output = Output::new(arguments.global.output);
    let context = Context { global: arguments.global, output };
    match Box::pin(arguments.command.run(&context)).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has read enough: `sluice receive … | head -1`.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            context.output.error(&error);
            ExitCode::from(if error.is::<UsageError>() { USAGE } else { FAILED })
        }
    }
}
