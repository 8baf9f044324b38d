//! Where letters go back to.
//!
//! A letter is data, not an order: who may write to the queue may write any note. A note is believed only if the redrive
//! policy of the queue it names leads here.

use std::collections::HashMap;

use sluicegate::events::Queue;

use super::letter::Letter;
use crate::{connection::OpenQueue, counters, queue_reference::QueueName};

/// The queues that letters may go to.
#[derive(Debug)]
pub(super) struct Targets {
    dlq: OpenQueue,
    dlq_arn: Option<String>,
    /// Where all go, when the user said so.
    to: Option<OpenQueue>,
    /// The queues whose redrive policy names this one.
    sources: Vec<Queue>,
    /// By name; or why nothing goes there.
    known: HashMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    queue: Result<OpenQueue, String>,
    /// Whether its redrive policy leads here.
    leads_here: bool,
}

impl Targets {
    pub(super) async fn find(dlq: &OpenQueue, dlq_arn: Option<String>, to: Option<OpenQueue>) -> anyhow::Result<Self> {
        let sources = if to.is_some() { Vec::new() } else { sources(dlq).await? };
        Ok(Self { dlq: dlq.clone(), dlq_arn, to, sources, known: HashMap::new() })
    }

    /// The queue this letter goes to, or why it stays.
    pub(super) async fn of(&mut self, letter: &Letter) -> Result<OpenQueue, String> {
        if let Some(to) = &self.to {
            let refused = self.known.get(to.queue.name()).and_then(|known| known.queue.as_ref().err());
            return refused.map_or_else(|| Ok(to.clone()), |reason| Err(reason.clone()));
        }
        // An ARN ends in the queue's name, and so does a URL. Both queues are of one account and region.
        let last = |source: &str| source.rsplit([':', '/']).next().unwrap_or(source).to_owned();
        let (name, is_claim) = match (&letter.moved_from, letter.noted_source(), self.sources.as_slice()) {
            (Some(arn), ..) => (last(arn), false),
            (None, Some(note), _) => (last(note), true),
            (None, None, [only]) => (only.name().to_owned(), false),
            (None, None, _) => return Err(self.unknown()),
        };
        if !self.known.contains_key(&name) {
            let found = self.look(&name).await;
            self.known.insert(name.clone(), found);
        }
        let known = &self.known[&name];
        if is_claim && known.queue.is_ok() && !known.leads_here {
            let dlq = &self.dlq.queue;
            return Err(format!("they say that they came from {name}, but its redrive policy does not name {dlq}"));
        }
        known.queue.clone()
    }

    /// Nothing more goes to this queue.
    pub(super) fn refuse(&mut self, target: &OpenQueue, reason: &str) {
        let refused = Known { queue: Err(reason.to_owned()), leads_here: true };
        self.known.insert(target.queue.name().to_owned(), refused);
    }

    async fn look(&self, name: &str) -> Known {
        if let Some(queue) = self.sources.iter().find(|queue| queue.name() == name) {
            return Known { queue: Ok(OpenQueue { queue: queue.clone(), ..self.dlq.clone() }), leads_here: true };
        }
        let found = async {
            // Somebody else's text: only a queue's name is looked for, never a URL.
            let name: QueueName = name.parse().map_err(anyhow::Error::msg)?;
            let Some(open) = self.dlq.connection.find_queue(&name).await? else {
                anyhow::bail!("their queue {} is gone", name.as_str());
            };
            let leads_to = counters::read(&open).await?.redrive_policy.map(|policy| policy.arn);
            Ok((open, leads_to.is_some() && leads_to == self.dlq_arn))
        };
        match found.await {
            Ok((open, leads_here)) => Known { queue: Ok(open), leads_here },
            Err(error) => Known { queue: Err(error.to_string()), leads_here: false },
        }
    }

    fn unknown(&self) -> String {
        match self.sources.len() {
            0 => "nothing says which queue they came from".to_owned(),
            many => format!("nothing says which of {many} queues they came from"),
        }
    }
}

/// Asks SQS whose dead-letter queue this is. Emulators do not all know the call, and it needs a permission of its own:
/// then the letters must say it.
pub(super) async fn sources(dlq: &OpenQueue) -> anyhow::Result<Vec<Queue>> {
    let mut queues = Vec::new();
    let request = dlq.sqs.list_dead_letter_source_queues().queue_url(dlq.queue.url());
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => queues.extend(page.queue_urls().iter().filter_map(|url| Queue::from_url(url).ok())),
            Err(error) if error.as_service_error().is_some_and(|error| !error.is_queue_does_not_exist()) => break,
            Err(error) => return Err(dlq.refusal("sqs:ListDeadLetterSourceQueues")(error)),
        }
    }
    Ok(queues)
}
