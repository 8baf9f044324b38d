//! `sluice stream put`.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;

use super::{
    port::{DataStream, DeliveryStream},
    record::{PartitionKey, Recipe, Record, partition_key},
    reference::{Kind, StreamReference},
};
use crate::{
    batch::{Delivered, End, Entry, Flow, Limits, Port, Refused, Report},
    context::Context,
    input::{self, Source, Split},
    output::{Output, Progress},
    quantity::{KIB, MIB, human_size, size},
    usage::UsageError,
};

/// Of a Kinesis data stream: 500 records, and 5 MiB with the partition keys. AWS has since doubled the bytes; not every
/// endpoint has.
const DATA_STREAM: Limits = Limits { entries: 500, bytes: 5 << 20 };
/// Of a delivery stream: 500 records, 4 MiB. See [Quota](https://docs.aws.amazon.com/firehose/latest/dev/limits.html).
const DELIVERY_STREAM: Limits = Limits { entries: 500, bytes: 4 << 20 };
/// A delivery stream's record, before base64.
const DELIVERY_RECORD: u64 = 1_000 * KIB;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A line is a record; empty lines are left out. Lines that cannot be put are named, and the others are put.\n\
                  Records go in the order of their lines, but one that AWS did not take the first time comes after those \
                  of its batch that it did. One whose answer was lost may be there twice.\n\n\
                  Example:\n  sluice stream put clicks --file clicks.jsonl --partition-key-field user.id\n  \
                  sluice stream put clicks-to-s3 --delivery --file monday.jsonl --file tuesday.jsonl\n  \
                  tail -f app.log | sluice stream put clicks --raw"
)]
pub(crate) struct Args {
    /// The stream: name or ARN.
    stream: StreamReference,
    /// It is a Firehose delivery stream. Each record ends with a newline, as Firehose puts nothing between them.
    #[arg(long)]
    delivery: bool,
    /// JSON lines; may be given again. `-` is stdin, and so is none.
    #[arg(long = "file", short, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Put lines that are not JSON too.
    #[arg(long)]
    raw: bool,
    /// The partition key of all records. Without one each gets its own, and they spread over all shards.
    #[arg(long, value_name = "TEXT", conflicts_with = "delivery", value_parser = partition_key)]
    partition_key: Option<String>,
    /// The field whose value is the partition key, in objects by a path: user.id. Records with one key keep to one shard.
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["delivery", "partition_key"])]
    partition_key_field: Option<String>,
    /// The largest record the data stream takes, with its partition key: what it was raised to, up to 10MiB.
    #[arg(long, value_name = "SIZE", default_value = "1MiB", conflicts_with = "delivery", value_parser = record_size)]
    max_record: u64,
    /// How often a record is tried that the stream was too slow for.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
}

fn record_size(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if (1..=10 * MIB).contains(&bytes) { Ok(bytes) } else { Err("it must be from 1B to 10MiB".to_owned()) }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let kind = kind(&args)?;
    let recipe = recipe(&args, kind);
    let files: Vec<Source> = args.files.iter().map(|path| Source::new(path)).collect();
    // One that is not there is known before anything is put.
    files.iter().try_for_each(Source::check)?;
    let sources = if files.is_empty() { vec![Source::STDIN] } else { files };
    let connection = context.connect().await?;
    let connection = connection.in_region(args.stream.told.as_ref().map(|told| told.region.as_str()))?;
    let (stream, output) = (args.stream, context.output);
    // Records of a key keep their order: one call at a time.
    let flow = |limits| Flow { limits, calls: 1, tries: args.tries, every: None, keeps_order: false };
    match kind {
        Kind::Data => {
            let client = aws_sdk_kinesis::Client::new(connection.config()?);
            let port = DataStream { client, connection, stream };
            put(&port, flow(DATA_STREAM), sources, &recipe, output).await
        }
        Kind::Delivery => {
            let client = aws_sdk_firehose::Client::new(connection.config()?);
            let port = DeliveryStream { client, connection, stream };
            put(&port, flow(DELIVERY_STREAM), sources, &recipe, output).await
        }
    }
}

async fn put<P: Port<Entry = Record, Taken = ()>>(
    port: &P,
    flow: Flow,
    sources: Vec<Source>,
    recipe: &Recipe,
    output: Output,
) -> anyhow::Result<()> {
    let lines = input::pieces(sources, Split::Lines, recipe.max_bytes, 1);
    let progress = Progress::open_ended(output, "records");
    let mut putting = Putting { tally: Tally::default(), output, progress };
    let outcome = flow.run(port, lines, |line| recipe.record(line).map(Some), &mut putting).await;
    putting.finish(outcome)
}

fn kind(args: &Args) -> anyhow::Result<Kind> {
    let asked = if args.delivery { Kind::Delivery } else { Kind::Data };
    match args.stream.told.as_ref().map(|told| told.kind) {
        Some(Kind::Data) if args.delivery => {
            bail!(UsageError("this is a Kinesis data stream's ARN: leave --delivery out".to_owned()))
        }
        Some(Kind::Delivery) if args.partition_key.is_some() || args.partition_key_field.is_some() => {
            bail!(UsageError("a delivery stream knows no partition keys: leave them out".to_owned()))
        }
        told => Ok(told.unwrap_or(asked)),
    }
}

fn recipe(args: &Args, kind: Kind) -> Recipe {
    let partition_key = match (kind, &args.partition_key, &args.partition_key_field) {
        (Kind::Delivery, ..) => PartitionKey::None,
        (Kind::Data, Some(key), _) => PartitionKey::Fixed(key.clone()),
        (Kind::Data, None, Some(field)) => PartitionKey::Field(field.clone()),
        (Kind::Data, None, None) => PartitionKey::Random,
    };
    let max_bytes = if kind == Kind::Delivery { DELIVERY_RECORD } else { args.max_record };
    Recipe {
        partition_key,
        raw: args.raw,
        newline: kind == Kind::Delivery,
        max_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
    }
}

/// What became of the lines so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Tally {
    /// Put, and known to be.
    records: u64,
    /// Of these records, with their partition keys.
    bytes: u64,
    requests: u64,
    /// Records put again, counted each time.
    retried: u64,
    /// Lines that were not put.
    failed: u64,
}

/// Lines on their way to a stream.
struct Putting {
    tally: Tally,
    output: Output,
    progress: Progress,
}

impl<P: Port<Entry = Record, Taken = ()>> Report<P> for Putting {
    fn delivered(&mut self, records: Vec<Record>, delivered: Delivered<()>) -> anyhow::Result<()> {
        self.tally.requests += delivered.requests;
        self.tally.retried += delivered.retried;
        self.progress.add(records.len() as u64);
        for (record, result) in records.into_iter().zip(delivered.results) {
            match result {
                Ok(()) => {
                    self.tally.records += 1;
                    self.tally.bytes += record.bytes() as u64;
                }
                Err(failure) => self.failed(&Refused { place: record.place, reason: failure.to_string() }),
            }
        }
        Ok(())
    }

    /// A line is a record: what is behind it is not touched.
    fn refused(&mut self, refused: Refused) -> anyhow::Result<()> {
        self.failed(&refused);
        Ok(())
    }
}

impl Putting {
    fn failed(&mut self, Refused { place, reason }: &Refused) {
        self.tally.failed += 1;
        self.progress.around(|| self.output.note(&format!("{place} was not put: {reason}")));
    }

    fn finish(self, outcome: anyhow::Result<End>) -> anyhow::Result<()> {
        let Self { tally, output, progress } = self;
        drop(progress);
        let end = match outcome {
            Ok(end) => end,
            Err(error) if tally.requests == 0 => return Err(error),
            Err(error) => return Err(error.context(format!("only {} records are known to be put", tally.records))),
        };
        if tally == Tally::default() && end != End::Stopped {
            output.note("there is nothing to put: the input is empty");
        }
        output.result(|| tally.text(), &tally)?;
        if end == End::Stopped {
            bail!("stopped: the rest was not put");
        }
        if tally.failed > 0 {
            bail!("{} of {} lines were not put", tally.failed, tally.failed + tally.records);
        }
        Ok(())
    }
}

impl Tally {
    fn text(self) -> String {
        let Self { records, bytes, requests, retried, .. } = self;
        let again = if retried > 0 { format!(", {retried} put again") } else { String::new() };
        let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (records, requests) = (counted(records, "record"), counted(requests, "request"));
        format!("put {records}, {}, in {requests}{again}", human_size(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_was_put_again_only_where_something_was() {
        let tally = Tally { records: 3, bytes: 2_048, requests: 1, retried: 0, failed: 0 };
        assert_eq!(tally.text(), "put 3 records, 2KiB, in 1 request");
        assert!(Tally { retried: 7, ..tally }.text().ends_with(", 7 put again"));
    }
}
