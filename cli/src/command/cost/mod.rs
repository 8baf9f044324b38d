//! `sluice cost`: what messages cost, beside the way that batches nothing.

mod model;
mod price;

use std::time::Duration;

use serde_json::json;

use self::model::{Bill, Load, as_float};
use crate::{
    context::Context,
    counters,
    quantity::{self, duration, human_size},
    queue_reference::QueueReference,
};

/// What the function runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Architecture {
    /// Graviton
    #[default]
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "List prices without free tiers. What costs while nothing happens (polling an empty queue, alarms, keys) is not in it.\n\n\
                  Example:\n  sluice cost --messages 30M --size 2KiB --memory 256 --duration 5ms\n  sluice cost --from jobs"
)]
pub(crate) struct Args {
    /// How many messages, as in 250, 20k or 1M.
    #[arg(long, default_value = "1M", value_parser = quantity::count)]
    messages: u64,
    /// Of one message, with its attributes.
    #[arg(long, default_value = "1KiB", value_parser = size)]
    size: u64,
    /// Messages a call: 1 to 10.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10))]
    batch: u64,
    /// The function's memory in MB.
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u64).range(128..=10_240))]
    memory: u64,
    /// How long the function works on one message.
    #[arg(long, default_value = "2ms", value_parser = duration)]
    duration: Duration,
    /// What the function runs on.
    #[arg(long, value_enum, default_value_t)]
    architecture: Architecture,
    /// Of one message's log lines, with its share of the batch's. docs/cost.md says what the functions write.
    #[arg(long, value_name = "SIZE", default_value = "670B", value_parser = quantity::size)]
    log_size: u64,
    /// A FIFO queue.
    #[arg(long)]
    fifo: bool,
    /// Count the messages that are in this queue now, and take its kind.
    #[arg(long, value_name = "QUEUE", conflicts_with_all = ["messages", "fifo"])]
    from: Option<QueueReference>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let (messages, is_fifo) = match &args.from {
        Some(reference) => {
            let open = context.connect().await?.queue(reference).await?;
            (counters::read(&open).await?.counters.total(), open.queue.is_fifo())
        }
        None => (args.messages, args.fifo),
    };
    let load = Load {
        messages,
        bytes: args.size,
        is_fifo,
        memory_mb: args.memory,
        architecture: args.architecture,
        duration_ms: args.duration.as_secs_f64() * 1_000.0,
        log_bytes: args.log_size,
    };
    let (batched, single) = (load.bill(args.batch), load.bill(1));
    context.output.result(
        || text(&load, &batched, &single),
        &json!({
            "messages": messages,
            "pricesAsOf": price::AS_OF,
            "batched": batched,
            "oneByOne": single,
        }),
    )
}

/// Of one message: 1 byte to 1 MiB.
fn size(text: &str) -> Result<u64, String> {
    quantity::size(text).and_then(|bytes| match bytes {
        1..=quantity::MIB => Ok(bytes),
        _ => Err("a message has 1B to 1MiB".to_owned()),
    })
}

fn text(load: &Load, batched: &Bill, single: &Bill) -> String {
    let Load { messages, bytes, is_fifo, memory_mb, .. } = *load;
    let kind = if is_fifo { "FIFO" } else { "standard" };
    let heading = format!(
        "{messages} messages of {}, {kind} queue, function with {memory_mb} MB (prices: {})",
        human_size(bytes),
        price::AS_OF
    );
    let (by, alone) = (&batched.dollars, &single.dollars);
    let count = |name: &str, batched: u64, by: f64, single: u64, alone: f64| {
        row(name, &batched.to_string(), by, &single.to_string(), alone)
    };
    let gb_seconds = |bill: &Bill| format!("{:.0}", bill.gb_seconds);
    let logs = |bill: &Bill| human_size(bill.log_bytes);
    let columns = format!("{:<18}{:>24}{:>24}", "", format!("batches of {}", batched.batch), "one by one");
    let per_million = |dollars: f64| if messages == 0 { 0.0 } else { dollars * 1e6 / as_float(messages) };
    [
        heading,
        columns,
        count("sends", batched.sends, by.sends, single.sends, alone.sends),
        count("receives", batched.receives, by.receives, single.receives, alone.receives),
        count("invocations", batched.invocations, by.invocations, single.invocations, alone.invocations),
        count("deletes", batched.deletes, by.deletes, single.deletes, alone.deletes),
        row("GB-seconds", &gb_seconds(batched), by.compute, &gb_seconds(single), alone.compute),
        row("log lines", &logs(batched), by.logs, &logs(single), alone.logs),
        row("total", "", by.total, "", alone.total),
        row("a million", "", per_million(by.total), "", per_million(alone.total)),
        format!(
            "requests a message, receive to delete: {:.3} against {:.3}",
            batched.requests_a_message(messages),
            single.requests_a_message(messages)
        ),
    ]
    .join("\n")
}

fn row(name: &str, batched: &str, by: f64, single: &str, alone: f64) -> String {
    format!("{name:<18}{batched:>12}{:>12}{single:>12}{:>12}", money(by), money(alone))
}

fn money(dollars: f64) -> String {
    format!("${dollars:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_both_ways_side_by_side() {
        let load = Load {
            messages: 1_000_000,
            bytes: 1_024,
            is_fifo: false,
            memory_mb: 128,
            architecture: Architecture::Arm64,
            duration_ms: 2.0,
            log_bytes: 175,
        };
        let expected = "\
1000000 messages of 1KiB, standard queue, function with 128 MB (prices: June 2026, us-east-1)
                             batches of 10              one by one
sends                   100000     $0.0400     1000000     $0.4000
receives                100000     $0.0400     1000000     $0.4000
invocations             100000     $0.0200     1000000     $0.2000
deletes                 100000     $0.0400     1000000     $0.4000
GB-seconds                 250     $0.0033         250     $0.0033
log lines             166.9MiB     $0.0875    166.9MiB     $0.0875
total                              $0.2308                 $1.4908
a million                          $0.2308                 $1.4908
requests a message, receive to delete: 0.300 against 3.000";
        assert_eq!(text(&load, &load.bill(10), &load.bill(1)), expected);
    }
}
