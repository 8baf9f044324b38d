//! Queues: the engine's ports, and receiving.

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    primitives::Blob,
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
        MessageSystemAttributeValue, SendMessageBatchRequestEntry,
    },
};
use aws_smithy_types::error::operation::BuildError;
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    error::{call_error, is_throttling},
    lazy::Lazy,
    patient,
};
use crate::{
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, MAX_ENTRIES, MAX_VISIBILITY, MAX_WAIT, Receive,
        ReceivingQueue, SourceQueue, VisibilityChange,
    },
    events::{
        AttributeValue, MessageAttribute, Queue,
        dispatch::{self, Message},
    },
};

/// SQS.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Lazy<Client>,
    /// For long polls.
    patient: Lazy<Client>,
}

impl SqsQueue {
    /// Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Lazy::new(config, Client::new), patient: Lazy::new(&patient(config), Client::new) }
    }
}

impl ReceivingQueue for SqsQueue {
    /// See [long polling](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html).
    async fn receive(&self, queue: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        let whole_seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .patient
            .get()
            .receive_message()
            .queue_url(queue.url())
            .max_number_of_messages(i32::try_from(receive.max_messages.clamp(1, MAX_ENTRIES)).unwrap_or(1))
            .wait_time_seconds(whole_seconds(receive.wait.min(MAX_WAIT)))
            .set_visibility_timeout(receive.visibility.map(|visibility| whole_seconds(visibility.min(MAX_VISIBILITY))))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let answer = Box::pin(request.send()).await.map_err(call_error)?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(Message::from).collect())
    }
}

impl SourceQueue for SqsQueue {
    async fn delete(&self, queue: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        let entries = handles
            .iter()
            .enumerate()
            .map(|(index, handle)| {
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(*handle).build()
            })
            .collect::<Result<_, BuildError>>()?;
        let request = self.client.get().delete_message_batch().queue_url(queue.url()).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(call_error)?;
        let answered = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failed_entries(handles.len(), answered, answer.failed(), of_handle))
    }

    async fn change_visibility(
        &self,
        queue: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let entries = changes
            .iter()
            .enumerate()
            .map(|(index, change)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(change.receipt_handle)
                    .visibility_timeout(i32::try_from(change.timeout.as_secs()).unwrap_or(i32::MAX))
                    .build()
            })
            .collect::<Result<_, BuildError>>()?;
        let request =
            self.client.get().change_message_visibility_batch().queue_url(queue.url()).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(call_error)?;
        let answered = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failed_entries(changes.len(), answered, answer.failed(), of_handle))
    }
}

impl DeadLetterQueue for SqsQueue {
    async fn send(&self, queue_url: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let is_fifo = Queue::from_url(queue_url).is_ok_and(|queue| queue.is_fifo());
        let entries = dead_letters
            .iter()
            .enumerate()
            .map(|(index, dead_letter)| send_entry(index, dead_letter, is_fifo))
            .collect::<Result<_, BuildError>>()?;
        let request = self.client.get().send_message_batch().queue_url(queue_url).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(call_error)?;
        let answered = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failed_entries(dead_letters.len(), answered, answer.failed(), of_dead_letter))
    }
}

fn send_entry(
    index: usize,
    dead_letter: &DeadLetter<'_>,
    is_fifo: bool,
) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(dead_letter.body)
        .set_message_group_id(dead_letter.group_id.map(ToOwned::to_owned));
    if is_fifo {
        // The message's own id, not its deduplication id: two messages may share that one over more than five minutes,
        // and the second must not vanish here.
        entry = entry.message_deduplication_id(dead_letter.message_id);
        entry = entry.message_group_id(dead_letter.group_id.unwrap_or(dead_letter.message_id));
    }
    for (name, attribute) in &dead_letter.attributes {
        entry = entry.message_attributes(name, sdk_attribute(attribute)?);
    }
    if let Some(trace_header) = dead_letter.trace_header {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace_header).build()?;
        entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    entry.build()
}

fn sdk_attribute(attribute: &MessageAttribute) -> Result<MessageAttributeValue, BuildError> {
    let value = MessageAttributeValue::builder().data_type(&attribute.data_type);
    match &attribute.value {
        AttributeValue::Text(text) => value.string_value(text),
        AttributeValue::Binary(bytes) => value.binary_value(Blob::new(bytes.as_slice())),
    }
    .build()
}

/// Whatever is not in `Successful` did not work, even when the service forgets to say so.
fn failed_entries<'a>(
    sent: usize,
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
    failure: fn(&BatchResultErrorEntry) -> Failure,
) -> Vec<FailedEntry> {
    let mut open: Vec<bool> = vec![true; sent];
    for id in successful {
        if let Some(slot) = id.parse().ok().and_then(|index: usize| open.get_mut(index)) {
            *slot = false;
        }
    }
    let reasons: HashMap<usize, &BatchResultErrorEntry> =
        failed.iter().filter_map(|entry| Some((entry.id.parse().ok()?, entry))).collect();
    let unanswered = || Failure::Transient("the service did not say what became of it".to_owned());
    (0..sent)
        .filter(|&index| open[index])
        .map(|index| FailedEntry {
            index,
            failure: reasons.get(&index).map_or_else(unanswered, |entry| failure(entry)),
        })
        .collect()
}

/// What the failure of a send means. A throttle is one even where the sender is blamed for it.
fn of_dead_letter(entry: &BatchResultErrorEntry) -> Failure {
    let text = format!("{}: {}", entry.code, entry.message().unwrap_or("no message"));
    if !entry.sender_fault || is_throttling(&entry.code) { Failure::Transient(text) } else { Failure::Refused(text) }
}

/// What the failure of a delete or of a change of visibility means.
///
/// Of a deleted message, and on a FIFO queue of a handle whose time is over, SQS says `InvalidParameterValue`, as it does
/// of a timeout beyond twelve hours since the receive: only its text tells these apart.
fn of_handle(entry: &BatchResultErrorEntry) -> Failure {
    let is = |codes: &[&str]| codes.iter().any(|code| entry.code.ends_with(code));
    let is_of_the_timeout = entry.message().is_some_and(|text| text.contains("parameter VisibilityTimeout"));
    let is_over = is(&["ReceiptHandleIsInvalid", "InvalidReceiptHandle", "MessageNotInflight", "InvalidIdFormat"])
        || (is(&["InvalidParameterValue"]) && !is_of_the_timeout);
    match of_dead_letter(entry) {
        Failure::Transient(text) | Failure::Refused(text) if is_over => Failure::HandleExpired(text),
        failure => failure,
    }
}

/// The SDK's message in the JSON of the dispatch.
impl From<aws_sdk_sqs::types::Message> for Message {
    fn from(message: aws_sdk_sqs::types::Message) -> Self {
        let attribute = |value: MessageAttributeValue| dispatch::MessageAttributeValue {
            data_type: value.data_type,
            string_value: value.string_value,
            binary_value: value.binary_value.map(|bytes| BASE64_STANDARD.encode(bytes)),
        };
        let attributes = message.attributes.unwrap_or_default();
        let message_attributes = message.message_attributes.unwrap_or_default();
        Self {
            message_id: message.message_id,
            receipt_handle: message.receipt_handle,
            body: message.body,
            attributes: attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect(),
            message_attributes: message_attributes.into_iter().map(|(name, value)| (name, attribute(value))).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
