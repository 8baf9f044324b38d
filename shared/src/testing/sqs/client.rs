//! SQS as one host sees it: the ports of `delivery`.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{config::Outgoing, queue::SimulatedQueue, receive::Ask};
use crate::{
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, MAX_BATCH_BYTES, MAX_ENTRIES, MAX_WAIT, Receive,
        ReceivingQueue, SourceQueue, VisibilityChange,
    },
    events::{Queue, dispatch::Message},
    testing::{
        faults::Operation,
        history::Name,
        service::{Aws, Connection},
    },
};

/// Every queue of the world, by URL, for one host. Failures come as the real adapter reads them.
#[derive(Debug, Clone)]
pub struct QueueClient {
    pub(in crate::testing) connection: Connection,
}

impl QueueClient {
    /// A batch call: every entry through `effect`, but those that are drawn to fail. B3: what fails is named by its place.
    async fn batch<E: Send + 'static>(
        &self,
        operation: Operation,
        queue: &str,
        entries: Vec<E>,
        effect: impl Fn(&SimulatedQueue, &Aws, &Name, E) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Vec<FailedEntry>, CallError> {
        // B2.
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(refused("TooManyEntriesInBatchRequest or EmptyBatchRequest: 1 to 10 entries"));
        }
        let failing = self.connection.failing_entries(operation, queue, entries.len());
        let (by, name) = (self.connection.by.clone(), queue.to_owned());
        let done = move |aws: &Aws| {
            let queue = known(aws, &name)?;
            let one = |(index, entry)| {
                let result = if failing.contains(&index) {
                    Err(Failure::Transient("ServiceUnavailable: try again".to_owned()))
                } else {
                    effect(&queue, aws, &by, entry)
                };
                result.err().map(|failure| FailedEntry { index, failure })
            };
            Ok(entries.into_iter().enumerate().filter_map(one).collect())
        };
        self.connection.call(operation, queue, done).await?
    }
}

fn refused(text: &str) -> CallError {
    CallError { message: text.to_owned(), is_transient: false }
}

fn known(aws: &Aws, name: &str) -> Result<Arc<SimulatedQueue>, CallError> {
    aws.queue(name)
        .ok_or_else(|| refused("AWS.SimpleQueueService.NonExistentQueue: the specified queue does not exist"))
}

impl SourceQueue for QueueClient {
    async fn delete(&self, queue: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        let handles: Vec<String> = handles.iter().map(|&handle| handle.to_owned()).collect();
        let delete = |queue: &SimulatedQueue, aws: &Aws, by: &Name, handle: String| queue.delete(aws, by, &handle);
        self.batch(Operation::Delete, queue.name(), handles, delete).await
    }

    async fn change_visibility(
        &self,
        queue: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let whole_seconds = |time: Duration| Duration::from_secs(time.as_secs());
        let changes = changes.iter().map(|change| (change.receipt_handle.to_owned(), whole_seconds(change.timeout)));
        let change = |queue: &SimulatedQueue, aws: &Aws, by: &Name, (handle, timeout): (String, Duration)| {
            queue.change_visibility(aws, by, &handle, timeout)
        };
        self.batch(Operation::ChangeVisibility, queue.name(), changes.collect(), change).await
    }
}

impl DeadLetterQueue for QueueClient {
    async fn send(&self, queue_url: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let queue = Queue::from_url(queue_url).map_err(|error| refused(&error.to_string()))?;
        let entry =
            |dead_letter| (Outgoing::of_dead_letter(dead_letter, queue.is_fifo()), Name::from(dead_letter.message_id));
        let entries: Vec<(Outgoing, Name)> = dead_letters.iter().map(entry).collect();
        // B1.
        if entries.iter().map(|(outgoing, _)| outgoing.bytes()).sum::<usize>() > MAX_BATCH_BYTES {
            return Err(refused("BatchRequestTooLong: batch requests cannot be longer than 1048576 bytes"));
        }
        let stopped = std::sync::Mutex::new(Vec::new());
        let send = move |queue: &SimulatedQueue, aws: &Aws, by: &Name, (outgoing, message): (Outgoing, Name)| {
            // B6.
            let mut stopped = crate::testing::service::locked(&stopped);
            let group = outgoing.group_id.clone();
            if queue.config.is_fifo() && aws.disputes.failed_entry_stops_group && stopped.contains(&group) {
                return Err(Failure::Transient("an earlier message of the group failed".to_owned()));
            }
            queue.send(aws, by, outgoing, Some(message)).map(|_| ()).map_err(|error| {
                stopped.push(group);
                Failure::Refused(error)
            })
        };
        self.batch(Operation::Send, queue.name(), entries, send).await
    }
}

impl ReceivingQueue for QueueClient {
    async fn receive(&self, queue: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        let Connection { aws, draws, by, .. } = &self.connection;
        let asked_at = aws.now();
        let trip = self.connection.go(Operation::Receive, queue.name()).await?;
        let queue = known(aws, queue.name())?;
        let wait = Duration::from_secs(receive.wait.min(MAX_WAIT).as_secs());
        let until = aws.now() + wait;
        let is_long = !wait.is_zero();
        let (by, max_messages, visibility) = (by.clone(), receive.max_messages, receive.visibility);
        let ask = Ask { by, max_messages, visibility, asked_at, is_long };
        let rates = aws.rates();
        let messages = if is_long && aws.disputes.false_empty && draws.happens(rates.false_empty) {
            // P3.
            sleep(wait).await;
            Vec::new()
        } else if draws.happens(rates.lost_receive) {
            // C4, F17: SQS goes on though its caller no longer waits, and the receive counts.
            tokio::spawn(queue.take_by(aws.clone(), ask, until)).await.unwrap_or_else(|_| Ok(Vec::new()))?
        } else {
            queue.take_by(aws.clone(), ask, until).await?
        };
        trip.back().await?;
        Ok(messages)
    }
}
