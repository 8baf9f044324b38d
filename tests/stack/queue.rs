//! What is in a queue.

use aws_sdk_sqs::types::QueueAttributeName::{
    ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
};
use serde_json::Value;

use super::{Stack, wait::eventually};

/// Every queue of the stack where a message may end.
const DEAD_LETTER_QUEUES: [&str; 7] = [
    "JobDeadLetterQueueUrl",
    "PolledDeadLetterQueueUrl",
    "OrderedDeadLetterQueueUrl",
    "ThumbnailDeadLetterQueueUrl",
    "StreamDeadLetterQueueUrl",
    "DeliveryDeadLetterQueueUrl",
    "InvocationDeadLetterQueueUrl",
];

/// How many messages a queue holds: its backlog, those in flight and those delayed.
pub(crate) async fn count(stack: &Stack, queue: &str) -> usize {
    let counters =
        vec![ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed];
    let asked = stack.sqs.get_queue_attributes().queue_url(stack.output(queue)).set_attribute_names(Some(counters));
    let counted = asked.send().await.unwrap().attributes.unwrap_or_default();
    assert_eq!(counted.len(), 3, "{counted:?}");
    counted.values().map(|count| count.parse::<usize>().unwrap()).sum()
}

/// Waits until a queue holds nothing.
pub(crate) async fn is_empty(stack: &Stack, queue: &str) {
    eventually(&format!("{queue} to be empty"), async || match count(stack, queue).await {
        0 => Ok(()),
        left => Err(format!("{left} messages")),
    })
    .await;
}

/// A message that was given up.
#[derive(Debug)]
pub(crate) struct Letter(Value);

impl Letter {
    pub(crate) fn body(&self) -> &str {
        self.0["Body"].as_str().unwrap()
    }

    /// A message attribute's text, if it has it.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.0["MessageAttributes"][name]["StringValue"].as_str()
    }
}

/// What lies in a dead-letter queue, of the messages whose body holds `mark`.
pub(crate) async fn letters(stack: &Stack, queue: &str, mark: &str) -> Vec<Letter> {
    let messages = stack.emulator.messages(stack.output(queue)).await;
    messages.into_iter().map(Letter).filter(|letter| letter.body().contains(mark)).collect()
}

/// Waits for the letter with this body.
pub(crate) async fn letter(stack: &Stack, queue: &str, body: &str) -> Letter {
    eventually(&format!("{body} in {queue}"), async || {
        let mut found = letters(stack, queue, body).await;
        found.pop().ok_or_else(|| "nothing like it".to_owned())
    })
    .await
}

/// Nothing that holds `mark` was given up anywhere, but in the queue named `but`.
pub(crate) async fn nothing_given_up(stack: &Stack, mark: &str, but: Option<&str>) {
    for queue in DEAD_LETTER_QUEUES.into_iter().filter(|queue| Some(*queue) != but) {
        let found = letters(stack, queue, mark).await;
        assert!(found.is_empty(), "{} messages in {queue}, such as {:?}", found.len(), found[0]);
    }
}
