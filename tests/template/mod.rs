//! The template keeps what the code relies on, and what no local run can show.
//!
//! Each promise is a test, over every resource of its kind: what is added later is held to it from its first day.

mod alarms;
mod dashboard;
mod dead_letters;
mod document;
mod functions;
mod installation;
mod permissions;
mod promises;
mod protection;
mod queues;

use document::{Document, Resource, logical_id, text};

/// Everything that is off by default, switched on.
const EVERYTHING: [(&str, &str); 9] = [
    ("AlertPhoneNumber", "+15550100123"),
    ("BrokerArn", "arn:aws:mq:us-east-1:123456789012:broker:orders:b-1"),
    ("BrokerSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders"),
    ("DeliverySource", "Stream"),
    ("EnableStreams", "true"),
    ("Encryption", "key"),
    ("ProducerAccountIds", "210987654321"),
    ("Scale", "large"),
    ("Tracing", "Active"),
];

/// The template with everything there is.
fn everything() -> Document {
    Document::with(&EVERYTHING)
}

fn is_dead_letter_queue(name: &str) -> bool {
    name.ends_with("DeadLetterQueue")
}

/// A physical name without the stack's in front: `jobs` of `${AWS::StackName}-jobs`.
fn own_name(name: &serde_yaml_ng::Value) -> String {
    text(name).strip_prefix("${AWS::StackName}-").unwrap_or_else(|| panic!("{name:?} is not of this stack")).to_owned()
}
