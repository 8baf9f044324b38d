//! Dead letters that Lambda leaves: whose they are, and what they hold.
//!
//! See [destinations of asynchronous invocations](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html)
//! and of [streams](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html), whose letters hold
//! no records, only their place in the stream.

use serde_json::Value;

use super::layer::{Layer, counted};

/// A letter of an on-failure destination.
pub(super) struct Letter<'a> {
    value: &'a Value,
    function_arn: &'a str,
}

impl<'a> Letter<'a> {
    /// Knows one by its shape.
    pub(super) fn known(value: &'a Value) -> Option<Self> {
        let function_arn = value["requestContext"]["functionArn"].as_str()?;
        let is_letter =
            ["requestPayload", "KinesisBatchInfo", "DDBStreamBatchInfo"].iter().any(|name| !value[name].is_null());
        is_letter.then_some(Self { value, function_arn })
    }

    /// The event that the function failed at; a stream's letter does not hold it.
    pub(super) fn event(&self) -> Option<String> {
        let event = &self.value["requestPayload"];
        (!event.is_null()).then(|| event.to_string())
    }

    pub(super) fn layer(&self, look: impl FnOnce(&str) -> Layer) -> Layer {
        // `…:function:NAME`, and with a version or alias `…:function:NAME:LIVE`.
        let name = self.function_arn.split_once(":function:").map_or(self.function_arn, |(_, name)| name);
        let context = &self.value["requestContext"];
        let mut facts = Vec::new();
        if let Some(condition) = context["condition"].as_str() {
            let times = context["approximateInvokeCount"].as_u64();
            facts.push(
                times.map_or_else(|| condition.to_owned(), |times| format!("{condition} after {times} invocations")),
            );
        }
        let answer = &self.value["responsePayload"];
        if let Some(error) = answer["errorType"].as_str() {
            facts.push(format!("{error}: {}", answer["errorMessage"].as_str().unwrap_or("-")));
        }
        facts.extend(self.place("KinesisBatchInfo"));
        facts.extend(self.place("DDBStreamBatchInfo"));
        let inside = self.event().map(|event| look(&event)).into_iter().collect();
        Layer::new(format!("dead letter of function {name}"), facts, inside)
    }

    /// Where in its stream a batch lies that was given up.
    fn place(&self, name: &str) -> Option<String> {
        let batch = self.value[name].as_object()?;
        let text = |name: &str| batch.get(name).and_then(Value::as_str).unwrap_or("-");
        let size = batch.get("batchSize").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let records = size.map_or_else(|| "records".to_owned(), counted);
        let [stream, shard, first, last] =
            ["streamArn", "shardId", "startSequenceNumber", "endSequenceNumber"].map(text);
        Some(format!("{records} of {stream}, {shard}, from {first} to {last}, and only the stream has them"))
    }
}
