//! Paths through JSON, and through the JSON in its texts.

use std::fmt;

use serde_json::Value;

use super::Function;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Element(usize),
    /// Into the JSON that a text holds.
    Text,
}

/// The way to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// With every place in a list as `*`, and `@` where a text is entered: `Records/*/body/@/name`.
    pub(super) fn pattern(&self) -> String {
        let step = |step: &Step| match step {
            // RabbitMQ's queues have slashes in their names.
            Step::Member(name) => name.replace('/', "|"),
            Step::Element(_) => "*".to_owned(),
            Step::Text => "@".to_owned(),
        };
        self.0.iter().map(step).collect::<Vec<_>>().join("/")
    }

    /// The value there.
    pub(super) fn of(&self, event: &Value) -> Option<Value> {
        self.0.iter().try_fold(event.clone(), |value, step| match step {
            Step::Member(name) => value.get(name).cloned(),
            Step::Element(place) => value.get(place).cloned(),
            Step::Text => parsed(&value),
        })
    }

    /// The record it is in: the path up to the first place in a list.
    pub(super) fn element(&self) -> Option<Self> {
        let place = self.0.iter().position(|step| matches!(step, Step::Element(_)))?;
        Some(Self(self.0[..=place].to_vec()))
    }

    /// Whether without it nothing of the event can be answered.
    pub(super) fn fails_the_event(&self, function: Function) -> bool {
        let pattern = self.pattern();
        (function == Function::FirehoseTransformer && pattern.ends_with("recordId")) || pattern == "queueUrl"
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = |step: &Step| match step {
            Step::Member(name) => name.clone(),
            Step::Element(place) => place.to_string(),
            Step::Text => "@".to_owned(),
        };
        f.write_str(&self.0.iter().map(step).collect::<Vec<_>>().join("/"))
    }
}

/// The object in a text; numbers and words that happen to be JSON stay texts.
fn parsed(value: &Value) -> Option<Value> {
    serde_json::from_str(value.as_str()?).ok().filter(Value::is_object)
}

/// Every path but the root's.
pub(super) fn paths(event: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    walk(event, &mut Vec::new(), &mut |path, _| paths.push(path.clone()));
    paths
}

/// Every path to an object, and the list of the object's values.
pub(super) fn lists(event: &Value) -> Vec<(Path, Value)> {
    let mut lists = Vec::new();
    walk(event, &mut Vec::new(), &mut |path, value| {
        if let Value::Object(members) = value {
            lists.push((path.clone(), members.values().cloned().collect()));
        }
    });
    lists
}

fn walk(value: &Value, steps: &mut Vec<Step>, visit: &mut impl FnMut(&Path, &Value)) {
    let mut enter = |step: Step, value: &Value, steps: &mut Vec<Step>| {
        steps.push(step);
        visit(&Path(steps.clone()), value);
        walk(value, steps, visit);
        steps.pop();
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| enter(Step::Member(name.clone()), value, steps));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, value)| enter(Step::Element(place), value, steps));
        }
        Value::String(_) => {
            if let Some(inner) = parsed(value) {
                steps.push(Step::Text);
                walk(&inner, steps, visit);
                steps.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The event with another value at a path, or none.
pub(super) fn put(event: &Value, path: &Path, value: Option<Value>) -> Value {
    fn put_at(target: &mut Value, steps: &[Step], value: Option<Value>) {
        match steps {
            [Step::Member(name)] => {
                let members = target.as_object_mut().unwrap();
                match value {
                    Some(value) => members.insert(name.clone(), value),
                    None => members.remove(name),
                };
            }
            [Step::Element(place)] => match value {
                Some(value) => target[*place] = value,
                None => drop(target.as_array_mut().unwrap().remove(*place)),
            },
            [Step::Text, rest @ ..] => {
                let mut inner = parsed(target).unwrap();
                put_at(&mut inner, rest, value);
                *target = Value::String(inner.to_string());
            }
            [Step::Member(name), rest @ ..] => put_at(&mut target[name], rest, value),
            [Step::Element(place), rest @ ..] => put_at(&mut target[*place], rest, value),
            [] => {}
        }
    }
    let mut event = event.clone();
    put_at(&mut event, &path.0, value);
    event
}
