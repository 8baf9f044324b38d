//! What SQS counts: approximate figures that settle within a minute.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde::Serialize;

use crate::{connection::OpenQueue, queue_reference::QueueReference, redrive_policy::RedrivePolicy};

/// How many messages are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    /// Waiting to be received.
    pub(crate) visible: u64,
    /// Received, neither deleted nor visible again.
    pub(crate) in_flight: u64,
    /// Sent with a delay that is not over.
    pub(crate) delayed: u64,
}

impl Counters {
    /// All messages in the queue.
    pub(crate) fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    pub(crate) fn from_attributes(attributes: &HashMap<Name, String>) -> Self {
        let count = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Self {
            visible: count(Name::ApproximateNumberOfMessages),
            in_flight: count(Name::ApproximateNumberOfMessagesNotVisible),
            delayed: count(Name::ApproximateNumberOfMessagesDelayed),
        }
    }
}

/// One look at a queue.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) counters: Counters,
    pub(crate) arn: Option<String>,
    pub(crate) redrive_policy: Option<RedrivePolicy>,
}

/// What is known of a queue's dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(crate) enum DeadLetters {
    /// The queue has no dead-letter queue.
    NoQueue,
    Counted {
        queue: String,
        messages: u64,
    },
    /// The dead-letter queue could not be asked.
    Unknown {
        queue: String,
        reason: String,
    },
}

/// Reads the counters: one request.
pub(crate) async fn read(open: &OpenQueue) -> anyhow::Result<Reading> {
    let request = open
        .sqs
        .get_queue_attributes()
        .queue_url(open.queue.url())
        .attribute_names(Name::ApproximateNumberOfMessages)
        .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
        .attribute_names(Name::ApproximateNumberOfMessagesDelayed)
        .attribute_names(Name::QueueArn)
        .attribute_names(Name::RedrivePolicy);
    let answer = request.send().await.map_err(open.refusal("sqs:GetQueueAttributes"))?;
    let attributes = answer.attributes.unwrap_or_default();
    let policy = attributes.get(&Name::RedrivePolicy).and_then(|json| RedrivePolicy::read(json));
    Ok(Reading {
        counters: Counters::from_attributes(&attributes),
        arn: attributes.get(&Name::QueueArn).cloned(),
        redrive_policy: policy,
    })
}

/// Counts the dead letters of a queue: one request, or none.
pub(crate) async fn read_dead_letters(open: &OpenQueue, reading: &Reading) -> DeadLetters {
    let Some(RedrivePolicy { arn, .. }) = &reading.redrive_policy else { return DeadLetters::NoQueue };
    let queue = arn.rsplit(':').next().unwrap_or(arn).to_owned();
    let counted = async {
        let reference: QueueReference = arn.parse().map_err(anyhow::Error::msg)?;
        read(&open.connection.queue(&reference).await?).await
    };
    match counted.await {
        Ok(reading) => DeadLetters::Counted { queue, messages: reading.counters.total() },
        Err(error) => DeadLetters::Unknown { queue, reason: error.to_string() },
    }
}
