//! An event that may be shown to others: its shape and AWS's own words, and nothing of anybody's.

use serde_json::{Map, Value};

/// Fields whose text is AWS's own, or a type's name.
const OF_AWS: [&str; 22] = [
    "eventSource",
    "EventSource",
    "eventName",
    "eventVersion",
    "EventVersion",
    "EventType",
    "awsRegion",
    "region",
    "Type",
    "DataType",
    "dataType",
    "detail-type",
    "source",
    "messageType",
    "SignatureVersion",
    "s3SchemaVersion",
    "result",
    "condition",
    "errorType",
    "kind",
    "version",
    "deliveryMode",
];

/// The event without its values. Text that is JSON itself keeps its shape; keys stay, since they are what is looked for.
pub(super) fn redact(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>()),
        Value::Array(elements) => elements.into_iter().map(redact).collect(),
        Value::String(text) => Value::String(of_text(&text)),
        Value::Number(number) => {
            if number.is_f64() {
                0.5.into()
            } else {
                0.into()
            }
        }
        same => same,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let value = match value {
        // A word: no payload under the same name.
        Value::String(text) if OF_AWS.contains(&name.as_str()) && is_word(&text) => Value::String(text),
        value => redact(value),
    };
    (name, value)
}

fn is_word(text: &str) -> bool {
    text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/ ".contains(c))
}

fn of_text(text: &str) -> String {
    let inner = Some(text).filter(|text| text.trim_start().starts_with(['{', '[']));
    if let Some(inner) = inner.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        return redact(inner).to_string();
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    if let ["arn", partition, service, region, _, _] = parts[..] {
        return format!("arn:{partition}:{service}:{region}:123456789012:removed");
    }
    if chrono::DateTime::parse_from_rfc3339(text).is_ok() {
        return "1970-01-01T00:00:00Z".to_owned();
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return "0".repeat(text.len());
    }
    format!("removed: {} bytes", text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shape_stays_and_no_value_does() {
        let event = json!({"Records": [{
            "messageId": "a82364e3", "body": "{\"name\": \"Ada\", \"cents\": 1500, \"tags\": [\"secret\"]}",
            "attributes": {"ApproximateReceiveCount": "12", "SenderId": "AIDASECRET"},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:999999999999:secret-jobs", "awsRegion": "eu-west-1",
            "eventTime": "2026-11-26T12:00:00.000Z", "source": {"secret": true},
        }]});
        let redacted = redact(event);
        let record = &redacted["Records"][0];
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, json!({"name": "removed: 3 bytes", "cents": 0, "tags": ["removed: 6 bytes"]}));
        assert_eq!(record["eventSourceARN"], "arn:aws:sqs:eu-west-1:123456789012:removed");
        assert_eq!((&record["eventSource"], &record["awsRegion"]), (&json!("aws:sqs"), &json!("eu-west-1")));
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "00");
        assert_eq!(record["source"], json!({"secret": true}));
        for secret in ["Ada", "1500", "AIDASECRET", "999999999999", "secret-jobs", "a82364e3", "2026"] {
            assert!(!redacted.to_string().contains(secret), "{secret}");
        }
    }
}
