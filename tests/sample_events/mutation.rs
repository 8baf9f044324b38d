//! What nobody needs changes nothing, and what is needed is missed by name: every path of every sample, changed one at a
//! time, in the event and in the JSON that stands in its texts.
//!
//! DESIGN lists what a record needs; [`needed`] is that list. At every other path the member is removed, made null and
//! given each other type, and the function's answer stays what it was. At a needed path the record is refused or kept as its
//! source does, the field is named, and what the function did with its neighbours stays. A list in the place of an object is
//! a wrong type like any other, at every level. And of a token that stands where it should not, no line but a logger's
//! `body`, no answer, no error and no note on a dead letter says a word.

mod needed;
mod path;

use serde_json::{Value, json};

use self::{
    needed::{Role, role},
    path::{Path, lists, paths, put},
};
use super::{
    capture::Outcome,
    function::Function,
    sample::{read, samples, takers},
};

/// Stands for a secret.
const TOKEN: &str = "hunter2-7f3a9c";

/// What a value is changed to; the token is a text that is no time, no number, no base64 and no JSON.
fn changes() -> [Option<Value>; 7] {
    [None, Some(json!(null)), Some(json!(true)), Some(json!(7)), Some(json!(TOKEN)), Some(json!([])), Some(json!({}))]
}

fn is_same_type(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// The answer as far as it is a fate: what Firehose gets is enriched with what the event says of it.
fn fate(function: Function, outcome: &Outcome) -> Result<Value, ()> {
    let answer = outcome.answer.as_ref().map_err(|_| ())?;
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    if function == Function::FirehoseTransformer {
        for record in answer["records"].as_array_mut().unwrap() {
            record.as_object_mut().unwrap().remove("data");
        }
    }
    Ok(answer)
}

/// Where the token is, of all that leaves a function but the loggers' own field.
fn leaks(outcome: &Outcome) -> Option<String> {
    let lines = outcome.log.lines().map(|line| {
        let mut line: Value = serde_json::from_str(&line.replace('…', "0")).unwrap();
        line.as_object_mut().unwrap().remove("body");
        line.to_string()
    });
    let (Ok(answer) | Err(answer)) = outcome.answer.clone();
    // A dead letter is the message itself; its notes are ours.
    let notes = outcome.calls.iter().filter(|call| call.trim_start().starts_with("with "));
    let reasons = notes.flat_map(|note| note.split(", ").filter(|pair| pair.contains("sluicegate.")).map(String::from));
    lines.chain([answer]).chain(reasons).find(|text| text.contains(TOKEN))
}

/// Every sample a function takes, changed at every path: how many mutants that were.
fn every_mutant(function: Function) -> usize {
    let mut count = 0;
    let mine = samples().into_iter().filter(|sample| {
        !sample.starts_with("garbage/") && takers(sample).is_some_and(|takers| takers.contains(&function))
    });
    for sample in mine {
        // The backtraces of a drill's panics would cost more than all else.
        let event = read(&sample).replace(r#"\"panic\""#, r#"\"fail\""#);
        let event: Value = serde_json::from_str(&event).unwrap();
        let before = function.invoke(&event.to_string());
        for path in paths(&event) {
            let role = role(function, &sample, &path);
            let original = path.of(&event).unwrap();
            for change in changes() {
                if change.as_ref().is_some_and(|change| is_same_type(change, &original) && *change != json!(TOKEN)) {
                    continue;
                }
                let is_text = change.as_ref().is_some_and(Value::is_string) && original.is_string();
                let what = format!("{sample} at {path}: {change:?}");
                let after = function.invoke(&put(&event, &path, change.clone()).to_string());
                count += 1;
                if !role.may_show(is_text) && change == Some(json!(TOKEN)) {
                    assert_eq!(leaks(&after), None, "{what}: the token leaks\n{after}");
                }
                if is_text {
                    continue;
                }
                match role {
                    Role::Free | Role::Shown => {
                        assert_eq!(fate(function, &after), fate(function, &before), "{what}\n{before}\n{after}");
                    }
                    Role::Needed { field } => {
                        missed(function, (&event, &path), change.as_ref(), field, (&before, &after), &what);
                    }
                    Role::Decides => {}
                }
            }
        }
        count += lists_for_objects(function, &sample, &event);
    }
    count
}

/// What is warned of, and the error.
fn loud(outcome: &Outcome) -> Vec<&str> {
    let is_loud = |line: &&str| line.contains(r#""level":"WARN""#) || line.contains(r#""level":"ERROR""#);
    outcome.log.lines().filter(is_loud).chain(outcome.answer.as_ref().err().map(String::as_str)).collect()
}

/// A needed field that is not there is named, and the neighbours are worked on as if its record were not there.
fn missed(
    function: Function,
    (event, path): (&Value, &Path),
    change: Option<&Value>,
    field: &str,
    (before, after): (&Outcome, &Outcome),
    what: &str,
) {
    // A broker's null is an empty body, and a message of SNS that is no text is logged as its JSON.
    let is_value = change.is_some_and(|change| !change.is_null());
    let is_taken = match function {
        Function::MqLogger => change.is_some_and(Value::is_null),
        Function::SnsLogger => is_value,
        _ => false,
    };
    // A record that was refused before is refused for what was wrong with it first.
    if !is_taken && loud(after).len() > loud(before).len() {
        // What is inside a message of SNS is an object event, whatever it should have been.
        let is_inside = field == "Message" && is_value;
        let words: &[&str] =
            if is_inside { &["Message", "object event", "not a shape"] } else { &[field, "cannot be named"] };
        let is_named = loud(after).iter().any(|text| words.iter().any(|word| text.contains(word)));
        assert!(is_named, "{what}: {field} is not named\n{after}");
    }
    // A shard stops at what it cannot read, and so does a group.
    let stops = function == Function::KinesisLogger || event.to_string().contains(".fifo");
    let Some(element) = path.element().filter(|_| !stops) else { return };
    let without = function.invoke(&put(event, &element, None).to_string());
    let of_records = |log: &str| -> Vec<String> {
        let lines = log.lines().filter(|line| !line.contains("batch finished") && !line.contains("fields ignored"));
        // Without the record those behind it have another place.
        lines.map(|line| (1..10).fold(line.to_owned(), |line, place| line.replace(&place_field(place), ""))).collect()
    };
    let lines = of_records(&after.log);
    if path.fails_the_event(function) {
        return;
    }
    for line in of_records(&without.log) {
        assert!(lines.contains(&line), "{what}: a neighbour lost its line {line}\n{after}");
    }
}

fn place_field(place: usize) -> String {
    format!(r#""record.place":{place},"#)
}

/// Objects become lists of their values: what position-wise readers take for them.
fn lists_for_objects(function: Function, sample: &str, event: &Value) -> usize {
    let mut count = 0;
    for (path, list) in lists(event) {
        if matches!(role(function, sample, &path), Role::Decides) {
            continue;
        }
        let as_list = function.invoke(&put(event, &path, Some(list)).to_string());
        let as_number = function.invoke(&put(event, &path, Some(json!(7))).to_string());
        count += 1;
        assert_eq!(
            fate(function, &as_list),
            fate(function, &as_number),
            "{sample} at {path}: a list is taken for an object\n{as_list}\n{as_number}"
        );
    }
    count
}

macro_rules! mutants {
    ($($test:ident: $function:ident;)*) => {
        $(
            #[test]
            fn $test() {
                let started = std::time::Instant::now();
                let count = every_mutant(Function::$function);
                println!("{}: {count} mutants in {:?}", Function::$function.name(), started.elapsed());
                assert!(count > 100, "{count}");
            }
        )*
    };
}

mutants! {
    the_firehose_transformer_misses_only_what_it_needs: FirehoseTransformer;
    the_stream_logger_misses_only_what_it_needs: KinesisLogger;
    the_broker_logger_misses_only_what_it_needs: MqLogger;
    the_object_logger_misses_only_what_it_needs: ObjectLogger;
    the_sns_logger_misses_only_what_it_needs: SnsLogger;
    the_thumbnailer_misses_only_what_it_needs: Thumbnailer;
    the_worker_misses_only_what_it_needs: Worker;
}
