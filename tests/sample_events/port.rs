//! The functions' ports: they take everything and say what they were asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use sluicegate::{
    aws::{
        s3::{ObjectAnswer, ObjectRequest, ObjectStore},
        sns::Publisher,
    },
    delivery::{
        CallError, DeadLetter, DeadLetterQueue, FailedEntry, Invoke, InvokeError, Receive, ReceivingQueue, SourceQueue,
        TargetFunction, VisibilityChange,
    },
    events::{AttributeValue, MessageAttributes, Queue, dispatch::Message},
};

/// What every object holds: a GIF of one pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// The calls a function made, in order. Clones share one list.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, call: String) {
        self.0.lock().unwrap().push(call);
    }
}

/// SQS, Lambda, SNS and S3. Receives give the messages it holds, ten at a time, then wait in vain.
#[derive(Clone, Default)]
pub(crate) struct Aws {
    pub(crate) calls: Calls,
    pub(crate) backlog: Arc<Mutex<VecDeque<Message>>>,
}

impl SourceQueue for Aws {
    async fn delete(&self, queue: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        let handles: Vec<&str> = handles.iter().map(|handle| short(handle)).collect();
        self.calls.add(format!("delete from {queue}: {}", handles.join(", ")));
        Ok(Vec::new())
    }

    async fn change_visibility(
        &self,
        queue: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let changes: Vec<String> =
            changes.iter().map(|change| format!("{} for {:?}", short(change.receipt_handle), change.timeout)).collect();
        self.calls.add(format!("hide in {queue}: {}", changes.join(", ")));
        Ok(Vec::new())
    }
}

impl DeadLetterQueue for Aws {
    async fn send(&self, queue_url: &str, letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        for letter in letters {
            let group = letter.group_id.map(|group| format!(" of group {group}")).unwrap_or_default();
            self.calls.add(format!("send to {queue_url}{group}: {}", letter.body));
            self.calls.add(format!("  with {}", listed(&letter.attributes)));
        }
        Ok(Vec::new())
    }
}

impl ReceivingQueue for Aws {
    async fn receive(&self, queue: &Queue, receive: &Receive) -> Result<Vec<Message>, CallError> {
        let wait = receive.wait;
        let messages: Vec<Message> = {
            let mut backlog = self.backlog.lock().unwrap();
            let ten = backlog.len().min(10);
            backlog.drain(..ten).collect()
        };
        if messages.is_empty() {
            tokio::time::sleep(wait).await;
        }
        self.calls.add(format!("receive from {queue} for up to {wait:?}: {} messages", messages.len()));
        Ok(messages)
    }
}

impl TargetFunction for Aws {
    async fn invoke(&self, payload: &str, invoke: Invoke) -> Result<String, InvokeError> {
        self.calls.add(format!("invoke as {invoke:?} with {payload}"));
        Ok("{}".to_owned())
    }
}

impl ObjectStore for Aws {
    async fn read(&self, wanted: &ObjectRequest<'_>) -> Result<ObjectAnswer, CallError> {
        let e_tag = wanted.e_tag.unwrap_or("any");
        self.calls.add(format!("read {}/{} if it is {e_tag}", wanted.bucket, wanted.key));
        Ok(ObjectAnswer::Found(GIF.to_vec()))
    }

    async fn write(&self, bucket: &str, key: &str, content_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        self.calls.add(format!("write {bucket}/{key} as {content_type}: {} bytes", content.len()));
        Ok(())
    }
}

impl Publisher for Aws {
    async fn send_sms(&self, phone_number: &str, text: &str) -> Result<(), CallError> {
        self.calls.add(format!("sms to {phone_number}: {text}"));
        Ok(())
    }

    async fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> Result<(), CallError> {
        self.calls.add(format!("publish to {topic_arn}: {subject}\n{message}"));
        Ok(())
    }
}

fn listed(attributes: &MessageAttributes) -> String {
    let one = |(name, attribute): (&String, &sluicegate::events::MessageAttribute)| match &attribute.value {
        AttributeValue::Text(text) => format!("{name}={text}"),
        AttributeValue::Binary(bytes) => format!("{name}=({} bytes)", bytes.len()),
    };
    attributes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Enough of a receipt handle to tell it from others.
fn short(handle: &str) -> &str {
    handle.get(..12).unwrap_or(handle)
}
