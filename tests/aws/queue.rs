//! One queue, as much of it as the functions use.

use std::collections::{HashMap, VecDeque};

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

/// Messages that are visible, in flight, or gone.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    visible: VecDeque<Message>,
    in_flight: HashMap<String, Message>,
    receives: u32,
    /// The message id of every delete that named a message in flight.
    pub(crate) deleted: Vec<String>,
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    receive_count: u32,
}

impl Queue {
    pub(crate) fn holding(bodies: impl IntoIterator<Item = String>) -> Self {
        let message = |(index, body)| Message { id: format!("message-{index}"), body, receive_count: 0 };
        Self { visible: bodies.into_iter().enumerate().map(message).collect(), ..Self::default() }
    }

    /// Messages that a receive would give.
    pub(crate) fn backlog(&self) -> usize {
        self.visible.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The output of an operation; `None` for those that no function calls.
    pub(crate) fn answer(&mut self, operation: &str, input: &Value) -> Option<Value> {
        match operation {
            "ReceiveMessage" => Some(self.receive()),
            "DeleteMessageBatch" => Some(each(input, |entry| self.delete(entry))),
            "ChangeMessageVisibilityBatch" => Some(each(input, |entry| self.change_visibility(entry))),
            "SendMessageBatch" => Some(each(input, |_| ())),
            "GetQueueAttributes" => Some(json!({"Attributes": {
                "QueueArn": "arn:aws:sqs:us-east-1:123456789012:queue",
                "ApproximateNumberOfMessages": self.visible.len().to_string(),
                "ApproximateNumberOfMessagesNotVisible": self.in_flight.len().to_string(),
                "ApproximateNumberOfMessagesDelayed": "0",
            }})),
            _ => None,
        }
    }

    fn receive(&mut self) -> Value {
        let ten = self.visible.len().min(10);
        let taken: Vec<Message> = self.visible.drain(..ten).collect();
        Value::from_iter([("Messages", taken.into_iter().map(|message| self.hand_out(message)).collect::<Value>())])
    }

    fn hand_out(&mut self, mut message: Message) -> Value {
        self.receives += 1;
        message.receive_count += 1;
        let handle = format!("receive-{}", self.receives);
        let wire = json!({
            "MessageId": message.id,
            "ReceiptHandle": handle,
            "Body": message.body,
            "Attributes": {
                "ApproximateReceiveCount": message.receive_count.to_string(),
                "SentTimestamp": "1741944483589",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1741944483629",
            },
            "MessageAttributes": {"JobType": {"StringValue": "NewDonor", "DataType": "String"}},
        });
        self.in_flight.insert(handle, message);
        wire
    }

    fn delete(&mut self, entry: &Value) {
        let deleted = self.in_flight.remove(handle(entry));
        self.deleted.extend(deleted.map(|message| message.id));
    }

    fn change_visibility(&mut self, entry: &Value) {
        if entry["VisibilityTimeout"] == 0 {
            self.visible.extend(self.in_flight.remove(handle(entry)));
        }
    }
}

fn handle(entry: &Value) -> &str {
    entry["ReceiptHandle"].as_str().unwrap_or_default()
}

/// Does something for each entry of a batch call, which always works.
fn each(input: &Value, mut work: impl FnMut(&Value)) -> Value {
    let entries = input["Entries"].as_array().cloned().unwrap_or_default();
    entries.iter().for_each(&mut work);
    let done = |entry: &Value| {
        let body = hex(entry["MessageBody"].as_str().unwrap_or_default().as_bytes());
        let attributes = entry["MessageAttributes"].as_object().map(|attributes| hex(&attribute_bytes(attributes)));
        json!({"Id": entry["Id"], "MessageId": "sent", "MD5OfMessageBody": body, "MD5OfMessageAttributes": attributes})
    };
    json!({"Successful": entries.iter().map(done).collect::<Vec<_>>(), "Failed": []})
}

/// What SQS makes the MD5 of attributes of, all of them text.
fn attribute_bytes(attributes: &Map<String, Value>) -> Vec<u8> {
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    let mut bytes = Vec::new();
    let mut add = |part: &str, then: &[u8]| {
        bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend(part.as_bytes());
        bytes.extend(then);
    };
    for name in names {
        let text = |field: &str| attributes[name][field].as_str().unwrap();
        add(name, &[]);
        add(text("DataType"), &[1]);
        add(text("StringValue"), &[]);
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}
