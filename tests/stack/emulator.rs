//! What the local AWS shows of itself, where AWS has nothing as handy: messages at rest, text messages, all log lines.

use hyper::Request;
use serde_json::{Value, json};

use super::loopback::ask;

/// Whoever asks is the account's root user to the local AWS, which looks at the key and not at the signature.
const ROOT: &str = "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/logs/aws4_request, \
                    SignedHeaders=host, Signature=0";

/// The local AWS, spoken to directly.
pub(crate) struct Emulator {
    address: String,
}

impl Emulator {
    /// At an endpoint such as `http://127.0.0.1:4566`.
    pub(crate) fn at(endpoint: &str) -> Self {
        Self { address: endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    /// Every message of a queue, visible or not, without receiving it.
    pub(crate) async fn messages(&self, queue_url: &str) -> Vec<Value> {
        let path = format!("/_ministack/sqs/messages?QueueUrl={queue_url}");
        let answer = ask(&self.address, Request::get(path), "").await;
        // By account, by region, by queue: with a queue named there is one of each.
        let leaves =
            |value: &Value| value.as_object().into_iter().flat_map(|map| map.values()).cloned().collect::<Vec<_>>();
        let queues =
            leaves(&answer["messages"]).iter().flat_map(leaves).flat_map(|region| leaves(&region)).collect::<Vec<_>>();
        queues.iter().flat_map(|messages| messages.as_array().cloned().unwrap_or_default()).collect()
    }

    /// The texts of every SMS that was sent to a number.
    pub(crate) async fn text_messages(&self, phone_number: &str) -> Vec<String> {
        let number = phone_number.replace('+', "%2B");
        let answer =
            ask(&self.address, Request::get(format!("/_ministack/sns/sms-messages?phoneNumber={number}")), "").await;
        let sent = answer["sms_messages"][phone_number].as_array().cloned().unwrap_or_default();
        sent.iter().map(ToString::to_string).collect()
    }

    /// At most 10,000 lines of a log group, from a time on, the oldest first. CloudWatch Logs' own call; it is the only
    /// one of that service, and needs no client of its own.
    pub(crate) async fn log_events(&self, group: &str, since_ms: u64) -> Vec<Value> {
        let request = Request::post("/")
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", ROOT);
        let query = json!({"logGroupName": group, "startTime": since_ms});
        let answer = ask(&self.address, request, &query.to_string()).await;
        answer["events"].as_array().cloned().unwrap_or_default()
    }
}
