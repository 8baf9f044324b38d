//! The poller against a queue of many messages: requests, processor time and memory a message, and its first answer
//! over TLS.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    certificate::Trust,
    endpoint::Endpoint,
    process::{LIMIT, Running},
    progress::Progress,
    statistic::median,
    subject::Subject,
};

/// How long a whole run over a queue may take.
const RUN_LIMIT: Duration = Duration::from_mins(10);

/// One run over a queue.
#[derive(Debug, Serialize)]
pub struct Drained {
    /// What was in the queue.
    pub messages: usize,
    /// Whether AWS was reached over TLS.
    pub tls: bool,
    /// The whole run.
    pub took_ms: f64,
    /// On a processor, all threads.
    pub cpu_us_a_message: f64,
    /// All requests, shared out.
    pub requests_a_message: f64,
    /// By operation.
    pub requests: BTreeMap<String, usize>,
    /// Resident at the most.
    pub peak_mib: f64,
}

/// Cold starts that end with an answer over TLS: from the birth of the process to its first answer, one request to AWS
/// in it. Medians.
#[derive(Debug, Serialize)]
pub struct FirstTls {
    /// Certificates that functions trust, and the endpoint's.
    pub certificates: usize,
    /// With these.
    pub first_answer_ms: f64,
    /// Certificates that the machine trusts; Lambda's file holds about as many.
    pub machine_certificates: usize,
    /// With those.
    pub machine_first_answer_ms: f64,
    /// Over plain HTTP.
    pub plain_first_answer_ms: f64,
}

/// Runs the poller over a queue of each of these lengths, plain, and over the longest with TLS too.
pub(crate) fn drain(poller: &Subject, lengths: &[usize], trust: &Trust, progress: &Progress) -> Result<Vec<Drained>> {
    let (plain, tls) = (Endpoint::plain()?, Endpoint::tls(trust.server.clone())?);
    let mut drained = Vec::new();
    let longest = lengths.iter().copied().max().unwrap_or_default();
    for (endpoint, messages) in lengths.iter().map(|length| (&plain, *length)).chain([(&tls, longest)]) {
        progress.say(&format!("the poller over {messages} messages at {}", endpoint.url()));
        drained.push(run(poller, endpoint, messages, &trust.few.path)?);
    }
    Ok(drained)
}

fn at(poller: &Subject, endpoint: &Endpoint, bundle: &Path) -> Subject {
    poller.with(&[("AWS_ENDPOINT_URL", &endpoint.url()), ("SSL_CERT_FILE", &bundle.display().to_string())])
}

fn run(poller: &Subject, endpoint: &Endpoint, messages: usize, bundle: &Path) -> Result<Drained> {
    let process = Running::start(&at(poller, endpoint, bundle))?;
    process.ready()?;
    // A run over an empty queue first: clients and connections are made.
    endpoint.holds(0);
    process.api.invoke(&poller.event, 1, LIMIT).with_context(|| process.logged())?;
    endpoint.holds(messages);
    let before = process.usage()?;
    let trips = process.api.invoke(&poller.event, 1, RUN_LIMIT).with_context(|| process.logged())?;
    let cpu = process.usage()?.cpu.saturating_sub(before.cpu);
    let answer: serde_json::Value = serde_json::from_slice(&trips.answer)?;
    ensure!(answer["dispatched"] == messages, "{messages} messages were waiting, and the poller says {answer}");
    let requests = endpoint.requests();
    #[allow(clippy::cast_precision_loss, reason = "counts of at most some hundred thousands")]
    let (count, total, peak) =
        (messages as f64, requests.values().sum::<usize>() as f64, process.memory()?.peak as f64);
    Ok(Drained {
        messages,
        tls: endpoint.url().starts_with("https"),
        took_ms: trips.took.iter().sum::<Duration>().as_secs_f64() * 1e3,
        cpu_us_a_message: cpu.as_secs_f64() * 1e6 / count,
        requests_a_message: total / count,
        requests,
        peak_mib: peak / 1024.0,
    })
}

/// Starts the poller over an empty queue some times, with and without TLS in turns.
pub(crate) fn first_answers(poller: &Subject, rounds: usize, trust: &Trust, progress: &Progress) -> Result<FirstTls> {
    let (plain, tls) = (Endpoint::plain()?, Endpoint::tls(trust.server.clone())?);
    let first = |endpoint: &Endpoint, bundle: &Path| {
        let process = Running::start(&at(poller, endpoint, bundle))?;
        let init = process.ready()?;
        let trips = process.api.invoke(&poller.event, 1, LIMIT).with_context(|| process.logged())?;
        Ok::<f64, anyhow::Error>((init + trips.took.iter().sum::<Duration>()).as_secs_f64() * 1e3)
    };
    let (mut few, mut many, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        progress.say(&format!("the first answer over TLS: round {} of {rounds}", round + 1));
        few.push(first(&tls, &trust.few.path)?);
        many.push(first(&tls, &trust.many.path)?);
        without.push(first(&plain, &trust.few.path)?);
    }
    Ok(FirstTls {
        certificates: trust.few.certificates,
        first_answer_ms: median(&few),
        machine_certificates: trust.many.certificates,
        machine_first_answer_ms: median(&many),
        plain_first_answer_ms: median(&without),
    })
}
