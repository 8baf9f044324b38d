//! The event of a mapping.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    events::{Queue, dispatch::Message},
    testing::sqs::REGION,
};

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: Option<&'a str>,
    receipt_handle: Option<&'a str>,
    body: Option<&'a str>,
    attributes: BTreeMap<&'a String, &'a String>,
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
    md5_of_body: String,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: Option<&'a str>,
    aws_region: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<&'a str>,
    string_list_values: [(); 0],
    binary_list_values: [(); 0],
    data_type: &'a str,
}

/// `{"Records": […]}`, as Lambda's [guide](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html) shows it (E21).
/// `md5OfBody` has the form of one and no more.
pub(super) fn event(queue: &Queue, messages: &[Message]) -> String {
    let records = messages.iter().map(|message| record(queue, message)).collect();
    serde_json::to_string(&Event { records }).unwrap_or_default()
}

fn record<'a>(queue: &'a Queue, message: &'a Message) -> Record<'a> {
    let attributes = message.message_attributes.iter().map(|(name, attribute)| {
        let attribute = Attribute {
            string_value: attribute.string_value.as_deref(),
            binary_value: attribute.binary_value.as_deref(),
            string_list_values: [],
            binary_list_values: [],
            data_type: &attribute.data_type,
        };
        (name.as_str(), attribute)
    });
    Record {
        message_id: message.message_id.as_deref(),
        receipt_handle: message.receipt_handle.as_deref(),
        body: message.body.as_deref(),
        attributes: message.attributes.iter().collect(),
        message_attributes: attributes.collect(),
        md5_of_body: format!("{:032x}", message.body.as_deref().map_or(0, str::len)),
        event_source: "aws:sqs",
        event_source_arn: queue.arn(),
        aws_region: REGION,
    }
}
