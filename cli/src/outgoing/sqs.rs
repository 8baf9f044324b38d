//! `SendMessageBatch`, with what it answers checked.

use aws_sdk_sqs::{
    primitives::Blob,
    types::{
        MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
        SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
    },
};
use aws_smithy_types::error::operation::BuildError;
use sluicegate::{
    delivery::Failure,
    events::{AttributeValue, MessageAttribute},
};

use super::{Outgoing, digest};
use crate::{batch::Port, connection::OpenQueue};

/// What SQS says of a message it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) message_id: String,
    /// Its place in a FIFO queue.
    pub(crate) sequence_number: Option<String>,
}

/// A queue as the place where batches go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqsPort<'a>(pub(crate) &'a OpenQueue);

impl Port for SqsPort<'_> {
    type Entry = Outgoing;
    type Taken = Sent;

    async fn call(&self, messages: &[&Outgoing]) -> anyhow::Result<Vec<Result<Sent, Failure>>> {
        let Self(open) = self;
        let entries = messages.iter().enumerate().map(entry).collect::<Result<Vec<_>, BuildError>>()?;
        let request = open.sqs.send_message_batch().queue_url(open.queue.url()).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(open.refusal("sqs:SendMessage"))?;
        let unanswered = || Err(Failure::Transient("AWS did not say what became of it".to_owned()));
        let mut results: Vec<Result<Sent, Failure>> = messages.iter().map(|_| unanswered()).collect();
        let place = |id: &str| id.parse().ok().filter(|index: &usize| *index < messages.len());
        for failed in answer.failed() {
            let Some(index) = place(&failed.id) else { continue };
            let text = format!("{}: {}", failed.code, failed.message().unwrap_or("AWS gave no reason"));
            // A throttle is one even where the sender is blamed for it.
            let is_final = failed.sender_fault && !failed.code.contains("Throttl");
            let failure = if is_final { Failure::Refused(text) } else { Failure::Transient(text) };
            results[index] = Err(failure);
        }
        for taken in answer.successful {
            let Some(index) = place(&taken.id) else { continue };
            results[index] = checked(messages[index], taken);
        }
        Ok(results)
    }
}

fn entry((index, message): (usize, &&Outgoing)) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&*message.body)
        .set_delay_seconds(message.delay.map(|delay| i32::try_from(delay.as_secs()).unwrap_or(i32::MAX)))
        .set_message_group_id(message.group_id.clone())
        .set_message_deduplication_id(message.deduplication_id.clone());
    for (name, attribute) in &*message.attributes {
        entry = entry.message_attributes(name, sdk_attribute(attribute)?);
    }
    if let Some(trace_header) = &message.trace_header {
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

/// A message counts as sent when what AWS received is what was sent.
fn checked(message: &Outgoing, taken: SendMessageBatchResultEntry) -> Result<Sent, Failure> {
    let damage = if taken.md5_of_message_body != digest::of_body(&message.body) {
        Some("body")
    } else if taken.md5_of_message_attributes != digest::of_attributes(&message.attributes) {
        Some("attributes")
    } else {
        None
    };
    match damage {
        None => Ok(Sent { message_id: taken.message_id, sequence_number: taken.sequence_number }),
        Some(part) => Err(Failure::Refused(format!(
            "AWS took message {} but received other {part} than were sent (the MD5 differs): look at it in the queue",
            taken.message_id
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body_md5: &str, attributes_md5: Option<&str>) -> SendMessageBatchResultEntry {
        SendMessageBatchResultEntry::builder()
            .id("0")
            .message_id("m-1")
            .md5_of_message_body(body_md5)
            .set_md5_of_message_attributes(attributes_md5.map(ToOwned::to_owned))
            .build()
            .unwrap()
    }

    #[test]
    fn a_message_that_arrived_as_another_is_no_success() {
        let message = Outgoing { body: "hello".into(), ..Outgoing::default() };
        let md5 = digest::of_body("hello");
        assert_eq!(checked(&message, taken(&md5, None)).unwrap().message_id, "m-1");
        for (wrong, part) in [(taken("00", None), "body"), (taken(&md5, Some("00")), "attributes")] {
            let Err(Failure::Refused(reason)) = checked(&message, wrong) else { panic!("{part}") };
            assert!(reason.contains(part) && reason.contains("m-1"), "{reason}");
        }
    }
}
