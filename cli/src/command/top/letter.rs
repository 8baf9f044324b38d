//! One letter, its envelopes peeled (pure).

use std::time::SystemTime;

use serde_json::Value;

use crate::{
    dead_letter::Letter,
    message::{age, receive},
    output::escape,
    quantity::human,
};

/// Its facts, its attributes, and what it holds: JSON with all JSON that is text in it, as deep as it goes.
pub(super) fn lines(letter: &Letter, now: SystemTime) -> Vec<String> {
    let record = &letter.record;
    let age = age(record, now).map_or_else(|| "?".to_owned(), human);
    let mut lines = vec![
        format!("id       {}", record.message_id),
        format!("kind     {}", letter.origin.kind()),
        format!("reason   {}", letter.reason()),
        format!("age      {age}, receive {}", receive(record)),
    ];
    lines.extend(record.group_id.iter().map(|group| format!("group    {group}")));
    lines.extend(
        record
            .attributes
            .iter()
            .map(|(name, attribute)| format!("         {name} = {}", attribute.as_text().unwrap_or("(binary)"))),
    );
    lines.push(String::new());
    let body = serde_json::from_str(&record.body).map(|value| peeled(value, 0));
    let body =
        body.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_no_json| record.body.clone());
    lines.extend(body.lines().map(ToOwned::to_owned));
    lines.iter().map(|line| escape(line).into_owned()).collect()
}

/// More than any route in AWS makes.
const MAX_DEPTH: usize = 8;

fn peeled(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) if depth < MAX_DEPTH && text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(&text).map_or(Value::String(text), |inside| peeled(inside, depth + 1))
        }
        Value::Array(list) => list.into_iter().map(|value| peeled(value, depth)).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, peeled(value, depth))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn envelopes_are_peeled_to_the_innermost() {
        let inside = json!({"Records": [{"s3": {"object": {"key": "a"}}}]});
        let wrapped = json!({"Message": json!({"body": inside.to_string()}).to_string(), "Subject": "{ no JSON"});
        assert_eq!(peeled(wrapped, 0), json!({"Message": {"body": inside}, "Subject": "{ no JSON"}));
    }
}
