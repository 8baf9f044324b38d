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

use super::{error::call_error, lazy::Lazy};
use crate::{
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, MAX_ENTRIES, MAX_VISIBILITY, SourceQueue,
        VisibilityChange,
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
}

impl SqsQueue {
    /// Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Lazy::new(config, Client::new) }
    }

    /// Receives up to ten messages with all their attributes, waiting up to `wait` (whole seconds, at most 20) for the
    /// first. An empty answer to a full wait means the queue was empty.
    /// See [long polling](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html).
    pub async fn receive(&self, queue: &Queue, wait: Duration) -> Result<Vec<Message>, CallError> {
        self.receive_as(queue, &Receive { wait, ..Receive::default() }).await
    }

    /// As [`SqsQueue::receive`], for a consumer that settles how many messages it takes and for how long.
    pub async fn receive_as(&self, queue: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        let whole_seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .client
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

/// The longest long poll.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// How to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receive {
    /// 1 to 10.
    pub max_messages: usize,
    /// Time to wait for the first message: whole seconds, at most 20.
    pub wait: Duration,
    /// How long the messages stay invisible: whole seconds, at most twelve hours. `None`: as the queue says.
    pub visibility: Option<Duration>,
}

/// Ten messages, the longest wait, the queue's own visibility timeout.
impl Default for Receive {
    fn default() -> Self {
        Self { max_messages: MAX_ENTRIES, wait: MAX_WAIT, visibility: None }
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
        Ok(failed_entries(handles.len(), answered, answer.failed()))
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
        Ok(failed_entries(changes.len(), answered, answer.failed()))
    }
}

impl DeadLetterQueue for SqsQueue {
    async fn send(&self, queue_url: &str, letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let is_fifo = Queue::from_url(queue_url).is_ok_and(|queue| queue.is_fifo());
        let entries = letters
            .iter()
            .enumerate()
            .map(|(index, letter)| send_entry(index, letter, is_fifo))
            .collect::<Result<_, BuildError>>()?;
        let request = self.client.get().send_message_batch().queue_url(queue_url).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(call_error)?;
        let answered = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failed_entries(letters.len(), answered, answer.failed()))
    }
}

fn send_entry(
    index: usize,
    letter: &DeadLetter<'_>,
    is_fifo: bool,
) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(letter.body)
        .set_message_group_id(letter.group_id.map(ToOwned::to_owned));
    if is_fifo {
        // The message's own id, not its deduplication id: two messages may share that one over more than five minutes,
        // and the second must not vanish here.
        entry = entry.message_deduplication_id(letter.message_id);
        entry = entry.message_group_id(letter.group_id.unwrap_or(letter.message_id));
    }
    for (name, attribute) in &letter.attributes {
        entry = entry.message_attributes(name, sdk_attribute(attribute)?);
    }
    if let Some(trace_header) = letter.trace_header {
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

fn failure(entry: &BatchResultErrorEntry) -> Failure {
    let text = format!("{}: {}", entry.code, entry.message().unwrap_or("no message"));
    let expired = ["ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidReceiptHandle"];
    if expired.iter().any(|code| entry.code.contains(code)) || text.contains("receipt handle has expired") {
        Failure::HandleExpired(text)
    } else if entry.sender_fault {
        Failure::Refused(text)
    } else {
        Failure::Transient(text)
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::replay::{answers, sent};

    fn queue() -> Queue {
        Queue::from_arn("arn:aws:sqs:us-east-1:123456789012:jobs").unwrap()
    }

    #[tokio::test]
    async fn entries_that_the_answer_does_not_name_have_failed() {
        let answer = json!({
            "Successful": [{"Id": "0"}],
            "Failed": [{"Id": "2", "Code": "ReceiptHandleIsInvalid", "SenderFault": true, "Message": "too old"}],
        });
        let (config, _) = answers(&[(200, &answer.to_string())]);
        let failed = SqsQueue::new(&config).delete(&queue(), &["a", "b", "c"]).await.unwrap();
        assert_eq!(failed.iter().map(|entry| entry.index).collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(failed[0].failure, Failure::Transient(_)), "{failed:?}");
        assert!(matches!(failed[1].failure, Failure::HandleExpired(_)), "{failed:?}");
    }

    #[tokio::test]
    async fn delays_are_whole_seconds() {
        let answer = json!({"Successful": [{"Id": "0"}], "Failed": []});
        let (config, replay) = answers(&[(200, &answer.to_string())]);
        let change = VisibilityChange { receipt_handle: "a", timeout: Duration::from_millis(5_900) };
        assert!(SqsQueue::new(&config).change_visibility(&queue(), &[change]).await.unwrap().is_empty());
        assert_eq!(sent(&replay)[0]["Entries"][0], json!({"Id": "0", "ReceiptHandle": "a", "VisibilityTimeout": 5}));
    }

    #[tokio::test]
    async fn a_letter_keeps_group_and_trace_and_is_known_by_its_message_id_on_a_fifo_queue() {
        let answer = json!({"Successful": [{"Id": "0", "MessageId": "n", "MD5OfMessageBody": ""}], "Failed": []});
        let letter = DeadLetter {
            message_id: "m-1",
            body: "{}",
            attributes: [("JobType".to_owned(), MessageAttribute::text("NewDonor"))].into(),
            group_id: Some("red"),
            trace_header: Some("Root=1-2-3"),
        };
        let (config, replay) = answers(&[(200, &answer.to_string())]);
        let url = "https://sqs.us-east-1.amazonaws.com/123456789012/dead.fifo";
        assert!(SqsQueue::new(&config).send(url, std::slice::from_ref(&letter)).await.unwrap().is_empty());
        let entry = &sent(&replay)[0]["Entries"][0];
        assert_eq!(entry["MessageGroupId"], "red");
        assert_eq!(entry["MessageDeduplicationId"], "m-1");
        assert_eq!(entry["MessageAttributes"]["JobType"], json!({"DataType": "String", "StringValue": "NewDonor"}));
        let trace = json!({"DataType": "String", "StringValue": "Root=1-2-3"});
        assert_eq!(entry["MessageSystemAttributes"]["AWSTraceHeader"], trace);
    }

    #[tokio::test]
    async fn a_received_message_keeps_all_it_came_with() {
        let answer = json!({"Messages": [{
            "MessageId": "m-1", "ReceiptHandle": "h", "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "red"},
            "MessageAttributes": {"Photo": {"DataType": "Binary", "BinaryValue": "AAEC"}},
        }]});
        let (config, replay) = answers(&[(200, &answer.to_string())]);
        let messages = SqsQueue::new(&config).receive(&queue(), Duration::from_mins(1)).await.unwrap();
        assert_eq!(messages[0].attributes["ApproximateReceiveCount"], "2");
        assert_eq!(messages[0].message_attributes["Photo"].binary_value.as_deref(), Some("AAEC"));
        assert_eq!(sent(&replay)[0]["WaitTimeSeconds"], 20);
    }

    #[tokio::test]
    async fn a_consumer_settles_how_many_it_takes_and_for_how_long_within_what_sqs_takes() {
        let (config, replay) = answers(&[(200, "{}"), (200, "{}")]);
        let adapter = SqsQueue::new(&config);
        let receive =
            Receive { max_messages: 3, wait: Duration::from_secs(5), visibility: Some(Duration::from_secs(90)) };
        assert!(adapter.receive_as(&queue(), &receive).await.unwrap().is_empty());
        let beyond = Receive { max_messages: 11, visibility: Some(Duration::from_hours(13)), ..receive };
        assert!(adapter.receive_as(&queue(), &beyond).await.unwrap().is_empty());
        let sent = sent(&replay);
        let asked = |place: usize| {
            ["MaxNumberOfMessages", "WaitTimeSeconds", "VisibilityTimeout"].map(|name| sent[place][name].clone())
        };
        assert_eq!(asked(0), [json!(3), json!(5), json!(90)]);
        assert_eq!(asked(1), [json!(10), json!(5), json!(43_200)]);
    }
}
