//! `sluice stream put`.

use std::{path::PathBuf, pin::pin, time::Duration};

use anyhow::bail;
use serde::Serialize;
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, timeout_at},
};

use super::{
    batch::{Batch, Delivered, Limits, deliver},
    input::{self, Line},
    port::{DataStream, DeliveryStream, Port},
    record::{PartitionKey, Recipe, Record, Refused, partition_key},
    reference::{Kind, StreamReference},
};
use crate::{
    arguments::UsageError,
    command::Context,
    output::{Output, Progress},
    quantity::{KIB, MIB, human_size, size},
    stop::Stop,
};

/// Of a Kinesis data stream: 500 records, and 5 MiB with the partition keys. AWS has since doubled the bytes; not every
/// endpoint has.
const DATA_STREAM: Limits = Limits { records: 500, bytes: 5 << 20 };
/// Of a delivery stream: 500 records, 4 MiB. See [Quota](https://docs.aws.amazon.com/firehose/latest/dev/limits.html).
const DELIVERY_STREAM: Limits = Limits { records: 500, bytes: 4 << 20 };
/// A delivery stream's record, before base64.
const DELIVERY_RECORD: u64 = 1_000 * KIB;
/// How long a record waits for others to share its call: input may come as slowly as somebody types.
const GATHERING: Duration = Duration::from_millis(200);

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
    let lines = input::lines(input::open(&args.files)?, recipe.max_bytes);
    let connection = context.connect().await?;
    let connection = connection.in_region(args.stream.told.as_ref().map(|told| told.region.as_str()))?;
    let (tries, stream) = (args.tries, args.stream);
    match kind {
        Kind::Data => {
            let client = aws_sdk_kinesis::Client::new(connection.config()?);
            let port = DataStream { client, connection, stream };
            Put::new(lines, recipe, DATA_STREAM, context.output).all(&port, tries).await
        }
        Kind::Delivery => {
            let client = aws_sdk_firehose::Client::new(connection.config()?);
            let port = DeliveryStream { client, connection, stream };
            Put::new(lines, recipe, DELIVERY_STREAM, context.output).all(&port, tries).await
        }
    }
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
struct Put {
    lines: Receiver<anyhow::Result<Line>>,
    recipe: Recipe,
    limits: Limits,
    batch: Batch,
    /// A record that the batch had no room for.
    held_back: Option<Record>,
    /// When the batch goes, full or not.
    goes_at: Instant,
    has_ended: bool,
    was_stopped: bool,
    tally: Tally,
    output: Output,
    progress: Progress,
}

impl Put {
    fn new(lines: Receiver<anyhow::Result<Line>>, recipe: Recipe, limits: Limits, output: Output) -> Self {
        Self {
            lines,
            recipe,
            limits,
            batch: Batch::default(),
            held_back: None,
            goes_at: Instant::now(),
            has_ended: false,
            was_stopped: false,
            tally: Tally::default(),
            output,
            progress: Progress::open_ended(output, "records"),
        }
    }

    /// Puts all lines, batch after batch. Told to stop, it ends with the batch that is under way.
    async fn all(mut self, port: &impl Port, tries: u32) -> anyhow::Result<()> {
        let mut stop = Stop::listen()?;
        while !self.was_stopped && (!self.has_ended || self.held_back.is_some()) {
            tokio::select! {
                () = stop.requested() => { self.was_stopped = true; break; }
                filled = self.fill() => filled.map_err(|error| self.interrupted(error))?,
            }
            let records = std::mem::take(&mut self.batch).records;
            if !records.is_empty() {
                let delivered = self.delivered(port, &records, tries, &mut stop).await?;
                self.count(records, delivered);
            }
        }
        self.finish()
    }

    /// Waits for the batch under way, so that every record that was taken is counted; told to stop again, no longer.
    async fn delivered(
        &mut self,
        port: &impl Port,
        records: &[Record],
        tries: u32,
        stop: &mut Stop,
    ) -> anyhow::Result<Delivered> {
        let mut delivery = pin!(deliver(port, records, tries));
        loop {
            tokio::select! {
                () = stop.requested() => {
                    if std::mem::replace(&mut self.was_stopped, true) {
                        bail!("stopped at once: {} records are known to be put", self.tally.records);
                    }
                }
                delivered = &mut delivery => return delivered.map_err(|error| self.interrupted(error)),
            }
        }
    }

    fn count(&mut self, records: Vec<Record>, delivered: Delivered) {
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
    }

    /// Fills the batch, until it is full, the input pauses, or it ends. Dropped half-way, it loses nothing.
    async fn fill(&mut self) -> anyhow::Result<()> {
        if let Some(record) = self.held_back.take() {
            self.add(record);
        }
        while self.held_back.is_none() && self.batch.records.len() < self.limits.records {
            let line = if self.batch.records.is_empty() {
                self.lines.recv().await
            } else {
                match timeout_at(self.goes_at, self.lines.recv()).await {
                    Ok(line) => line,
                    Err(_pause) => return Ok(()),
                }
            };
            let Some(line) = line else {
                self.has_ended = true;
                return Ok(());
            };
            let Line { place, text } = line?;
            let too_long = || format!("it has more than {} bytes, the most the stream takes", self.recipe.max_bytes);
            let record = match text {
                Some(text) => self.recipe.record(place, text),
                None => Err(Refused { place, reason: too_long() }),
            };
            match record {
                Ok(record) => self.add(record),
                Err(refused) => self.failed(&refused),
            }
        }
        Ok(())
    }

    fn add(&mut self, record: Record) {
        if self.batch.records.is_empty() {
            self.goes_at = Instant::now() + GATHERING;
        }
        self.held_back = self.batch.add(record, self.limits).err();
    }

    fn failed(&mut self, Refused { place, reason }: &Refused) {
        self.tally.failed += 1;
        self.progress.around(|| self.output.note(&format!("{place} was not put: {reason}")));
    }

    /// What ends everything: with how far it had come.
    fn interrupted(&self, error: anyhow::Error) -> anyhow::Error {
        if self.tally.requests == 0 {
            return error;
        }
        error.context(format!("only {} records are known to be put", self.tally.records))
    }

    fn finish(self) -> anyhow::Result<()> {
        let Self { tally, output, progress, was_stopped, .. } = self;
        drop(progress);
        if tally == Tally::default() && !was_stopped {
            output.note("there is nothing to put: the input is empty");
        }
        output.result(|| tally.text(), &tally)?;
        if was_stopped {
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
mod tests;
