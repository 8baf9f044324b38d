//! Where letters go back to.

use std::collections::HashMap;

use sluicegate::{
    delivery::SOURCE,
    events::{Queue, Record},
};

use crate::{connection::OpenQueue, queue_reference::QueueReference};

/// The queues that letters may go to.
#[derive(Debug)]
pub(super) struct Targets {
    dlq: OpenQueue,
    /// Where all go, when the user said so.
    to: Option<OpenQueue>,
    /// The queues whose redrive policy names this one.
    sources: Vec<Queue>,
    /// By name; `None` for those that do not exist.
    known: HashMap<String, Option<OpenQueue>>,
}

impl Targets {
    pub(super) async fn find(dlq: &OpenQueue, to: Option<OpenQueue>) -> anyhow::Result<Self> {
        let sources = if to.is_some() { Vec::new() } else { sources(dlq).await? };
        Ok(Self { dlq: dlq.clone(), to, sources, known: HashMap::new() })
    }

    /// The queue this letter goes to, if that can be told.
    pub(super) async fn of(&mut self, record: &Record) -> anyhow::Result<Option<OpenQueue>> {
        if let Some(to) = &self.to {
            return Ok(Some(to.clone()));
        }
        let named = record.attributes.get(SOURCE).and_then(|attribute| attribute.as_text());
        let name = match (named, self.sources.as_slice()) {
            // An ARN ends in the queue's name, and so does a URL.
            (Some(source), _) => source.rsplit([':', '/']).next().unwrap_or(source).to_owned(),
            (None, [only]) => only.name().to_owned(),
            (None, _) => return Ok(None),
        };
        if let Some(known) = self.known.get(&name) {
            return Ok(known.clone());
        }
        let found = self.open(&name).await?.filter(|found| found.queue.url() != self.dlq.queue.url());
        self.known.insert(name, found.clone());
        Ok(found)
    }

    async fn open(&self, name: &str) -> anyhow::Result<Option<OpenQueue>> {
        if let Some(queue) = self.sources.iter().find(|queue| queue.name() == name) {
            return Ok(Some(OpenQueue { queue: queue.clone(), ..self.dlq.clone() }));
        }
        // Somebody else's text: only a queue's name is looked for, never a URL.
        match name.parse() {
            Ok(QueueReference::Named(name)) => self.dlq.connection.find_queue(&name).await,
            _ => Ok(None),
        }
    }

    /// Why a letter's way back is not known, and what to do.
    pub(super) fn unknown(&self, count: u64) -> String {
        let sources = match self.sources.len() {
            0 => "no queue is known to have it as its dead-letter queue".to_owned(),
            many => format!("{many} queues have it as their dead-letter queue"),
        };
        format!(
            "{count} messages of {} do not say which queue they came from, or it is gone, and {sources}: add --to QUEUE",
            self.dlq.queue
        )
    }
}

/// Asks SQS whose dead-letter queue this is. Emulators do not all know the call, and it needs a permission of its own:
/// then the letters must say it.
async fn sources(dlq: &OpenQueue) -> anyhow::Result<Vec<Queue>> {
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
