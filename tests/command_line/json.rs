//! What `--output json` prints: programs read it, so its fields change with a version and not by chance.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::sluice::Sluice;

/// A value with each scalar made its kind, and each list its first element.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(values) => values.iter().take(1).map(shape).collect(),
        Value::Object(fields) => {
            // Their order is serde_json's, which other packages' features decide.
            let sorted: BTreeMap<&String, Value> = fields.iter().map(|(name, value)| (name, shape(value))).collect();
            sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>().into()
        }
    }
}

#[test]
fn the_fields_of_each_command_s_json_are_those_of_the_snapshot() {
    let sluice = Sluice::on_the_stack();
    let name = sluice.queue("json", &["--dlq", "--max-receives", "5", "--visibility", "1m"]);
    let dlq = format!("{name}-dlq");
    let event = crate::sample_events::sample::folder().join("sqs/new-donor.json").display().to_string();
    let reject = ["consume", &name, "--until-empty", "--wait", "1s", "--exec", "sh", "-c", "exit 65"];
    let commands: [&[&str]; 16] = [
        &["send", &name, "--body", "x", "-a", "JobType=NewDonor", "--repeat", "2"],
        &["receive", &name, "--peek"],
        &["queue", "status", &name],
        &["queue", "list", &name, "--counts"],
        &["queue", "show", &name],
        &["queue", "set", &name, "--visibility", "2m"],
        &reject,
        &["dead", &dlq],
        &["redrive", &dlq, "--dry-run"],
        &["redrive", &dlq],
        &["consume", &name, "--until-empty", "--wait", "1s"],
        &["queue", "purge", &name, "--yes"],
        &["whoami"],
        &["topic", "list"],
        &["cost", "--messages", "1M"],
        &["inspect", &event],
    ];
    let mut shapes = String::new();
    for command in commands {
        let outcome = sluice.run(&[&["--output", "json"], command].concat());
        assert!(matches!(outcome.code, Some(0 | 3)), "{command:?}: {outcome:?}");
        let lines = outcome.stdout.lines().map(|line| shape(&serde_json::from_str(line).unwrap()).to_string());
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        lines.dedup();
        let words: Vec<&str> =
            command.iter().take_while(|word| !word.contains(&name) && !word.contains('/')).copied().collect();
        let _ = writeln!(shapes, "{}\n  {}", words.join(" "), lines.join("\n  "));
    }
    insta::assert_snapshot!(shapes.replace(&name, "queue"));
}
