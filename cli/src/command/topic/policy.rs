//! The statement in a queue's policy that lets a topic in.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

/// The policy with the statement added; `None` when the topic is let in already.
///
/// What is there stays as it is. See
/// [the policy for a subscribed queue](https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html#SendMessageToSQS.sqs.permissions).
pub(super) fn letting_in(policy: Option<&str>, queue_arn: &str, topic_arn: &str) -> anyhow::Result<Option<String>> {
    let empty = || json!({ "Version": "2012-10-17", "Statement": [] });
    let mut policy: Value = match policy.filter(|text| !text.trim().is_empty()) {
        Some(text) => serde_json::from_str(text).context("the queue's policy is not JSON")?,
        None => empty(),
    };
    let object = policy.as_object_mut().context("the queue's policy is not a JSON object")?;
    let statements = statements(object);
    if statements.iter().any(|statement| lets_in(statement, queue_arn, topic_arn)) {
        return Ok(None);
    }
    statements.push(json!({
        "Sid": format!("sluice-{}", statements.len() + 1),
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn } },
    }));
    rename_duplicate(statements);
    Ok(Some(policy.to_string()))
}

/// IAM allows one statement without a list around it.
fn statements(policy: &mut Map<String, Value>) -> &mut Vec<Value> {
    let entry = policy.entry("Statement").or_insert_with(|| json!([]));
    if !entry.is_array() {
        *entry = Value::Array(vec![entry.take()]);
    }
    match entry {
        Value::Array(statements) => statements,
        _ => unreachable!("it was made a list"),
    }
}

/// Whether a statement lets this topic send, on no other condition.
fn lets_in(statement: &Value, queue_arn: &str, topic_arn: &str) -> bool {
    let is = |value: &Value, wanted: &str| match value {
        Value::String(text) => text.eq_ignore_ascii_case(wanted),
        Value::Array(list) => {
            list.iter().any(|each| each.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted)))
        }
        _ => false,
    };
    let conditions = statement["Condition"].as_object();
    let condition = conditions.filter(|all| all.len() == 1).and_then(|all| {
        let (operator, keys) = all.iter().next()?;
        let keys = keys.as_object().filter(|keys| keys.len() == 1)?;
        let (key, value) = keys.iter().next()?;
        let fits = matches!(operator.as_str(), "ArnEquals" | "ArnLike" | "StringEquals");
        (fits && key.eq_ignore_ascii_case("aws:SourceArn")).then(|| is_exactly(value, topic_arn))
    });
    let principal = &statement["Principal"];
    statement["Effect"] == "Allow"
        && (is(principal, "*") || is(&principal["Service"], "sns.amazonaws.com") || is(&principal["AWS"], "*"))
        && ["sqs:SendMessage", "sqs:*", "*"].iter().any(|action| is(&statement["Action"], action))
        && (is_exactly(&statement["Resource"], queue_arn) || is(&statement["Resource"], "*"))
        && condition == Some(true)
}

/// ARNs differ by their case.
fn is_exactly(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|each| each == wanted),
        value => value == wanted,
    }
}

/// A policy's statement ids differ.
fn rename_duplicate(statements: &mut [Value]) {
    let Some((last, others)) = statements.split_last_mut() else { return };
    let mut number = others.len() + 1;
    while others.iter().any(|other| other["Sid"] == last["Sid"]) {
        number += 1;
        last["Sid"] = json!(format!("sluice-{number}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:jobs";
    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";

    fn added(policy: Option<&str>) -> Value {
        serde_json::from_str(&letting_in(policy, QUEUE, TOPIC).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn a_queue_without_a_policy_gets_one() {
        for policy in [None, Some(""), Some(r#"{"Version":"2012-10-17","Statement":[]}"#)] {
            let policy = added(policy);
            assert_eq!(policy["Version"], "2012-10-17");
            assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
            assert_eq!(policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"], TOPIC);
        }
    }

    #[test]
    fn what_is_there_stays_and_the_second_time_changes_nothing() {
        let other = json!({"Sid": "sluice-2", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        for statement in [other.clone(), json!([other])] {
            let before = json!({"Version": "2008-10-17", "Id": "mine", "Statement": statement}).to_string();
            let after = added(Some(&before));
            assert_eq!(
                (&after["Version"], &after["Id"], &after["Statement"][0]),
                (&json!("2008-10-17"), &json!("mine"), &other)
            );
            assert_ne!(after["Statement"][1]["Sid"], "sluice-2");
            assert_eq!(letting_in(Some(&after.to_string()), QUEUE, TOPIC).unwrap(), None);
        }
    }

    #[test]
    fn a_statement_that_lets_in_another_topic_or_on_conditions_does_not_count() {
        for condition in [
            json!({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:Alerts"}}),
            json!({"ArnEquals": {"aws:SourceArn": TOPIC}, "Bool": {"aws:SecureTransport": "true"}}),
            json!(null),
        ] {
            let statement = json!({"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com"]},
                "Action": ["SQS:SendMessage"], "Resource": QUEUE, "Condition": condition});
            let before = json!({ "Statement": [statement] }).to_string();
            assert_eq!(added(Some(&before))["Statement"].as_array().unwrap().len(), 2, "{condition}");
        }
    }

    #[test]
    fn what_is_no_policy_is_left_alone() {
        assert!(letting_in(Some("no JSON"), QUEUE, TOPIC).is_err());
        assert!(letting_in(Some("[]"), QUEUE, TOPIC).is_err());
    }
}
