//! `sluice queue list`.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    context::Context,
    counters::{self, Reading},
    queue_reference::QueueReference,
};

/// Queues asked at the same time.
const CONCURRENCY: usize = 10;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sluice queue list job\n  sluice queue list --counts")]
pub(crate) struct Args {
    /// Only queues whose names begin so.
    prefix: Option<String>,
    /// Say how much is in each, where its dead letters go and whose come to it: one request a queue.
    #[arg(long, short)]
    counts: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let urls = connection.queue_urls(args.prefix.as_deref()).await?;
    if !args.counts {
        return urls.iter().try_for_each(|url| {
            context.output.result(|| context.output.shown(url).into_owned(), &json!({ "url": url }))
        });
    }
    let read = async |url: String| {
        let reading = match url.parse::<QueueReference>() {
            Ok(reference) => counters::read(&connection.queue(&reference).await?).await,
            Err(refusal) => Err(anyhow::Error::msg(refusal)),
        };
        anyhow::Ok((url, reading))
    };
    let found: Vec<_> = stream::iter(urls).map(read).buffered(CONCURRENCY).collect().await;
    let found: Vec<(String, anyhow::Result<Reading>)> = found.into_iter().collect::<anyhow::Result<_>>()?;
    let rows: Vec<Row> = rows(&found);
    if context.output.is_json() {
        return rows.iter().try_for_each(|row| context.output.json(&row.json()));
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(5);
    context
        .output
        .line(&format!("{:<width$} {:>8} {:>9} {:>8}  dead letters", "queue", "visible", "in flight", "delayed"));
    for row in &rows {
        context.output.line(&row.text(width, |text| context.output.shown(text).into_owned()));
    }
    Ok(())
}

/// A queue, where its dead letters go, and whose come to it.
struct Row<'r> {
    name: &'r str,
    url: &'r str,
    reading: Result<&'r Reading, String>,
    goes_to: Option<&'r str>,
    comes_from: Vec<&'r str>,
}

fn name_of(place: &str) -> &str {
    place.rsplit(['/', ':']).next().unwrap_or(place)
}

fn rows<'f>(found: &'f [(String, anyhow::Result<Reading>)]) -> Vec<Row<'f>> {
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (url, reading) in found {
        if let Some(policy) = reading.as_ref().ok().and_then(|reading| reading.redrive_policy.as_ref()) {
            sources.entry(&policy.arn).or_default().push(name_of(url));
        }
    }
    let row = |found: &'f (String, anyhow::Result<Reading>)| {
        let (url, reading) = found;
        let known = reading.as_ref().ok();
        let arn = known.and_then(|reading| reading.arn.as_ref());
        Row {
            name: name_of(url),
            url,
            reading: reading.as_ref().map_err(ToString::to_string),
            goes_to: known.and_then(|reading| Some(name_of(&reading.redrive_policy.as_ref()?.arn))),
            comes_from: arn.and_then(|arn| sources.get(arn.as_str())).cloned().unwrap_or_default(),
        }
    };
    found.iter().map(row).collect()
}

impl Row<'_> {
    fn text(&self, width: usize, shown: impl Fn(&str) -> String) -> String {
        let name = self.name;
        let Ok(reading) = self.reading else {
            let refusal = self.reading.as_ref().err().map(String::as_str).unwrap_or_default();
            return format!("{name:<width$} {:>8} {:>9} {:>8}  {}", "–", "–", "–", shown(refusal));
        };
        let counters = reading.counters;
        let mut relations: Vec<String> = self.goes_to.iter().map(|to| format!("to {to}")).collect();
        if !self.comes_from.is_empty() {
            relations.push(format!("of {}", self.comes_from.join(", ")));
        }
        let line = format!(
            "{name:<width$} {:>8} {:>9} {:>8}  {}",
            counters.visible,
            counters.in_flight,
            counters.delayed,
            relations.join("; ")
        );
        line.trim_end().to_owned()
    }

    fn json(&self) -> Value {
        let (counters, problem) = match &self.reading {
            Ok(reading) => (Some(reading.counters), None),
            Err(problem) => (None, Some(problem)),
        };
        json!({
            "url": self.url, "name": self.name, "counters": counters, "problem": problem,
            "deadLetterQueue": self.goes_to, "deadLetterQueueOf": self.comes_from,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{counters::Counters, redrive_policy::RedrivePolicy};

    #[test]
    fn a_dead_letter_queue_says_whose_it_is_and_a_queue_that_cannot_be_asked_why() {
        let reading = |name: &str, to: Option<&str>| {
            let arn = |name: &str| format!("arn:aws:sqs:us-east-1:123456789012:{name}");
            let redrive_policy = to.map(|to| RedrivePolicy { arn: arn(to), max_receives: 5 });
            Ok(Reading { counters: Counters::default(), arn: Some(arn(name)), redrive_policy })
        };
        let url = |name: &str| format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}");
        let found = [
            (url("a"), reading("a", Some("dead"))),
            (url("b"), reading("b", Some("dead"))),
            (url("c"), Err(anyhow::anyhow!("AWS refused"))),
            (url("dead"), reading("dead", None)),
        ];
        let lines: Vec<String> = rows(&found).iter().map(|row| row.text(5, ToOwned::to_owned)).collect();
        assert_eq!(
            lines,
            [
                "a            0         0        0  to dead",
                "b            0         0        0  to dead",
                "c            –         –        –  AWS refused",
                "dead         0         0        0  of a, b",
            ]
        );
    }
}
