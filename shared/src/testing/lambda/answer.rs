//! What a function's answer makes a mapping delete (table 8a).

use std::collections::BTreeSet;

use serde_json::Value;

/// The message ids that stay; `None`: the whole batch has failed.
pub(super) fn failed_ids(answer: &str, batch: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let Ok(answer) = serde_json::from_str::<Value>(answer) else { return None };
    // A1.
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(BTreeSet::new()),
        Some(failures) => failures.as_array()?,
    };
    // A2, A3; A4: an id that is there twice is there once.
    let id = |failure: &Value| {
        let id = failure.get("itemIdentifier")?.as_str()?;
        batch.contains(id).then(|| id.to_owned())
    };
    failures.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_delete_as_table_8a_says() {
        let batch: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
        let failed = |answer: &str| failed_ids(answer, &batch).map(|ids| ids.into_iter().collect::<Vec<_>>().join(" "));
        // A1.
        for answer in ["null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#] {
            assert_eq!(failed(answer).as_deref(), Some(""), "{answer}");
        }
        // A2, A4.
        assert_eq!(failed(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#).as_deref(), Some("b"));
        let twice = r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#;
        assert_eq!(failed(twice).as_deref(), Some("b"));
        // A3.
        for entry in
            [r#"{"itemIdentifier":"c"}"#, r#"{"itemIdentifier":""}"#, r#"{"itemIdentifier":null}"#, r#"{"id":"a"}"#]
        {
            assert_eq!(failed(&format!(r#"{{"batchItemFailures":[{entry}]}}"#)), None, "{entry}");
        }
        assert_eq!(failed("{"), None);
    }
}
