//! Queues that have this one as their dead-letter queue.

use anyhow::{Context as _, bail};

use super::{Form, Home, Homes, Place};
use crate::{connection::OpenQueue, counters, queue_reference::QueueName};

impl Homes {
    /// The queue that SQS itself names.
    pub(super) async fn moved_from(&self, source: &str) -> anyhow::Result<Home> {
        Ok(whole(self.queue(source).await?))
    }

    /// The queue that a note names, if its redrive policy leads here.
    pub(super) async fn rejected_from(&self, source: &str) -> anyhow::Result<Home> {
        let open = self.queue(source).await?;
        let is_source = self.sources.contains(&open.queue);
        if !is_source && counters::read(&open).await?.redrive_policy.is_none_or(|policy| policy.arn != self.dlq_arn) {
            let (name, dlq) = (open.queue.name(), &self.dlq.queue);
            bail!("they say that they came from {name}, but its redrive policy does not name {dlq}");
        }
        Ok(whole(open))
    }

    /// Where a letter goes that says nothing: to the one queue, or to the one subscriber, whose letters come here.
    pub(super) async fn unknown(&self) -> anyhow::Result<Home> {
        match self.sources.as_slice() {
            [only] => Ok(whole(OpenQueue { queue: only.clone(), ..self.dlq.clone() })),
            [] => self.raw_subscriber().await.context("nothing says which queue they came from"),
            many => bail!("nothing says which of {} queues they came from", many.len()),
        }
    }

    /// By ARN or URL. Only the name is looked for: both queues are of one account and region.
    pub(super) async fn queue(&self, source: &str) -> anyhow::Result<OpenQueue> {
        // Somebody else's text: it is a queue's name, or nothing.
        let name = source.rsplit([':', '/']).next().unwrap_or(source);
        if let Some(queue) = self.sources.iter().find(|queue| queue.name() == name) {
            return Ok(OpenQueue { queue: queue.clone(), ..self.dlq.clone() });
        }
        let name: QueueName = name.parse().map_err(anyhow::Error::msg)?;
        match self.dlq.connection.find_queue(&name).await? {
            Some(open) => Ok(open),
            None => bail!("their queue {} is gone", name.as_str()),
        }
    }
}

fn whole(open: OpenQueue) -> Home {
    Home::new(Place::Queue(open), Form::Whole)
}
