//! Receiving until there are enough messages, or no more.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use sluicegate::{
    delivery::MAX_ENTRIES,
    events::{Record, dispatch::Message},
};

use crate::connection::OpenQueue;

/// After the first messages the rest is there or not: the shortest wait that asks all of SQS's servers.
const NEXT_WAIT: Duration = Duration::from_secs(1);

/// What to receive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) max: usize,
    /// For the first message.
    pub(crate) wait: Duration,
    /// `None` is the queue's own.
    pub(crate) visibility: Option<Duration>,
}

/// Receives until `max` messages were wanted or a receive brought none, and hands each batch on, which says how many of it
/// were wanted.
pub(crate) async fn gather(
    mut receive: impl AsyncFnMut(usize, Duration) -> anyhow::Result<Vec<Record>>,
    settings: Settings,
    mut hand_on: impl AsyncFnMut(Vec<Record>) -> anyhow::Result<usize>,
) -> anyhow::Result<()> {
    let mut left = settings.max;
    let mut wait = settings.wait;
    while left > 0 {
        let batch = receive(left.min(MAX_ENTRIES), wait).await?;
        if batch.is_empty() {
            break;
        }
        wait = NEXT_WAIT.min(settings.wait);
        left = left.saturating_sub(hand_on(batch).await?);
    }
    Ok(())
}

/// One receive with all attributes.
pub(crate) async fn receive(
    open: &OpenQueue,
    max: usize,
    wait: Duration,
    visibility: Option<Duration>,
) -> anyhow::Result<Vec<Record>> {
    let seconds = |duration: Duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
    let request = open
        .sqs
        .receive_message()
        .queue_url(open.queue.url())
        .max_number_of_messages(i32::try_from(max).unwrap_or(10))
        .wait_time_seconds(seconds(wait))
        .set_visibility_timeout(visibility.map(seconds))
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    let answer = Box::pin(request.send()).await.map_err(open.refusal("sqs:ReceiveMessage"))?;
    let messages = answer.messages.unwrap_or_default().into_iter();
    let record = |message| Record::try_from(Message::from(message)).context("AWS answered with a message in part");
    messages.map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives from a queue with so many messages; says what was asked for and how much came.
    async fn gathered(in_queue: usize, max: usize) -> (Vec<(usize, Duration)>, usize) {
        let (mut asked, mut left, mut count) = (Vec::new(), in_queue, 0);
        let receive = async |max: usize, wait: Duration| {
            asked.push((max, wait));
            let batch: Vec<Record> = (0..max.min(left)).map(record).collect();
            left -= batch.len();
            Ok(batch)
        };
        let settings = Settings { max, wait: Duration::from_secs(5), visibility: None };
        gather(receive, settings, async |batch| {
            count += batch.len();
            Ok(batch.len())
        })
        .await
        .unwrap();
        (asked, count)
    }

    fn record(index: usize) -> Record {
        Record::try_from(Message {
            message_id: Some(index.to_string()),
            receipt_handle: Some("handle".to_owned()),
            body: Some(String::new()),
            ..Message::default()
        })
        .unwrap()
    }

    #[tokio::test]
    async fn no_more_is_asked_for_than_was_wanted() {
        let (asked, count) = gathered(100, 13).await;
        assert_eq!((asked, count), (vec![(10, Duration::from_secs(5)), (3, NEXT_WAIT)], 13));
    }

    #[tokio::test]
    async fn an_empty_receive_is_the_end() {
        let (asked, count) = gathered(2, 13).await;
        assert_eq!((asked.len(), count), (2, 2));
        assert_eq!(gathered(0, 1).await, (vec![(1, Duration::from_secs(5))], 0));
    }
}
