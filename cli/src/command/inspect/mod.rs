//! `sluice inspect`: what the functions would make of an event. Calls nothing.
//!
//! | module | what it settles |
//! |---|---|
//! | `layer` | what the event is: envelopes peeled, records, decoded keys |
//! | `function` | which functions are meant, and what each makes of it; the worker is asked itself |
//! | `source` | records of streams and messages of brokers, both ways |
//! | `letter` | whose dead letter it is, and what it holds |
//! | `redact` | the event without its values |

mod function;
mod layer;
mod letter;
mod redact;
mod source;

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use sluicegate::events::json::without_mark;

use self::{
    function::{Function, Verdict},
    layer::Layer,
    letter::Letter,
};
use crate::context::Context;
use crate::{input::Source, output::Output};

/// Shows the event with its envelopes taken off, and what each function that it is meant for would make of it. Of a dead
/// letter of Lambda it is the event that the letter holds.
///
/// Exits with 1 when one of them would refuse the event or a record of it, and when no function is meant: JSON of no source
/// known here. (The scheduled poller takes any; ask for it with --function.)
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice inspect events/s3/object-created.json\n  \
                  sluice inspect --function sqs-worker - < event.json\n  sluice inspect --redact event.json > event-to-show.json")]
pub(crate) struct Args {
    /// The event; `-` is stdin.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Ask this function only.
    #[arg(long, value_enum)]
    function: Option<Function>,
    /// Print the event itself, with its values removed, so that it can be shown to others. Look through it before you do.
    #[arg(long, conflicts_with = "function")]
    redact: bool,
}

/// Everything there is to say of an event.
#[derive(Debug, Serialize)]
struct Report {
    event: Layer,
    functions: Vec<Verdict>,
    refused: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let event = Source::new(&args.file).text()?;
    if args.redact {
        let event =
            serde_json::from_str(without_mark(&event)).context("it is not JSON, and nothing of it may be shown")?;
        let event = redact::redact(event);
        return context.output.result(|| format!("{event:#}"), &event);
    }
    let report = Report::of(&event, args.function);
    context.output.result(|| report.text(context.output), &report)?;
    if report.functions.is_empty() {
        anyhow::bail!("no function is meant for it");
    }
    if report.refused {
        anyhow::bail!("it would be refused");
    }
    Ok(())
}

impl Report {
    fn of(event: &str, only: Option<Function>) -> Self {
        let event = without_mark(event);
        let layer = Layer::of(event);
        // A letter is no event: the one it holds is, and a stream's holds none.
        let value = serde_json::from_str(event).unwrap_or_default();
        let letter = Letter::known(&value);
        let held = letter.as_ref().and_then(Letter::event);
        let event = held.as_deref().unwrap_or(event);
        let is_empty = letter.is_some() && held.is_none();
        let meant = only.map_or_else(|| if is_empty { Vec::new() } else { function::meant(event) }, |only| vec![only]);
        let functions: Vec<Verdict> = meant.into_iter().map(|function| function.judge(event)).collect();
        let refused = functions.is_empty() || functions.iter().any(Verdict::is_against);
        Self { event: layer, functions, refused }
    }

    fn text(&self, output: Output) -> String {
        let mut lines = Vec::new();
        self.event.lines(0, &mut lines);
        for verdict in &self.functions {
            lines.push(String::new());
            verdict.lines(&mut lines);
        }
        if self.functions.is_empty() {
            lines.push(String::new());
            lines.push("no function is meant for it".to_owned());
        }
        let lines: Vec<_> = lines.iter().map(|line| output.shown(line)).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests;
