//! The template as `CloudFormation` would deploy it: loops unrolled, conditions decided, absent things gone.

use std::fs;

use serde_yaml_ng::{
    Mapping, Value,
    value::{Tag, TaggedValue},
};

use crate::repository::root;

/// The template under some parameters. References (`!Ref`, `!GetAtt`, `!Sub`) are left on; `Fn::ForEach`, `!FindInMap`, `!If` and
/// `Condition` are not, and each function has what all of them share.
pub(super) struct Document {
    written: Value,
    deployed: Value,
}

/// One resource, or one event of a function.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its logical id; an event has that of its function.
    pub(super) id: String,
    pub(super) properties: Value,
}

impl Document {
    /// With every parameter at its default.
    pub(super) fn by_default() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(parameters: &[(&str, &str)]) -> Self {
        let path = root().join("template.yaml");
        let written: Value = serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for (name, _) in parameters {
            assert!(!written["Parameters"][*name].is_null(), "the template has no parameter {name}");
        }
        let conditions = Conditions { written: &written, parameters };
        let mut deployed = conditions.settle(&written, &[]).unwrap();
        for part in ["Resources", "Outputs"] {
            let all = deployed[part].as_mapping_mut().unwrap();
            all.retain(|_, one| one.get("Condition").and_then(Value::as_str).is_none_or(|name| conditions.holds(name)));
        }
        let shared = deployed["Globals"]["Function"].clone();
        for (_, resource) in deployed["Resources"].as_mapping_mut().unwrap() {
            if resource["Type"] == "AWS::Serverless::Function" {
                add_absent(&mut resource["Properties"], &shared);
            }
        }
        Self { written, deployed }
    }

    /// A part of the file as it is written: `Parameters`, `Metadata`, …
    pub(super) fn written(&self, part: &str) -> &Value {
        &self.written[part]
    }

    pub(super) fn outputs(&self) -> &Value {
        &self.deployed["Outputs"]
    }

    pub(super) fn globals(&self) -> &Value {
        &self.deployed["Globals"]["Function"]
    }

    /// All resources with their types.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, Resource)> {
        let resources = self.deployed["Resources"].as_mapping().unwrap();
        resources.iter().map(|(id, resource)| {
            let properties = resource.get("Properties").cloned().unwrap_or_default();
            let id = id.as_str().unwrap().to_owned();
            (resource["Type"].as_str().unwrap().to_owned(), Resource { id, properties })
        })
    }

    /// The resources of one type; there is at least one, or a test of them would say nothing.
    pub(super) fn resources(&self, kind: &str) -> Vec<Resource> {
        let found: Vec<_> = self.all().filter(|(of, _)| of == kind).map(|(_, resource)| resource).collect();
        assert!(!found.is_empty(), "no {kind}");
        found
    }

    pub(super) fn resource(&self, id: &str) -> Resource {
        self.all().find(|(_, resource)| resource.id == id).unwrap_or_else(|| panic!("no {id}")).1
    }

    pub(super) fn functions(&self) -> Vec<Resource> {
        self.resources("AWS::Serverless::Function")
    }

    pub(super) fn queues(&self) -> Vec<Resource> {
        self.resources("AWS::SQS::Queue")
    }

    /// Each function's events of one type.
    pub(super) fn events(&self, kind: &str) -> Vec<Resource> {
        let of_function = |function: Resource| {
            let events = function.properties["Events"].as_mapping().cloned().unwrap_or_default();
            let of_kind = events.into_iter().filter(|(_, event)| event["Type"] == *kind);
            let id = function.id;
            of_kind
                .map(|(_, event)| Resource { id: id.clone(), properties: event["Properties"].clone() })
                .collect::<Vec<_>>()
        };
        let found: Vec<_> = self.functions().into_iter().flat_map(of_function).collect();
        assert!(!found.is_empty(), "no event {kind}");
        found
    }
}

/// The logical id that a `!Ref` or `!GetAtt` names.
pub(super) fn logical_id(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("no reference: {value:?}") };
    tagged.value.as_str().unwrap().split('.').next().unwrap().to_owned()
}

/// A string, or what a `!Sub` begins from.
pub(super) fn text(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        Value::Tagged(tagged) if tagged.tag == "Sub" => tagged.value.as_str().unwrap(),
        _ => panic!("no text: {value:?}"),
    }
}

/// A loop's name for what it is at, and what that is.
type Item<'d> = (&'d str, &'d str);

fn with_items(text: &str, items: &[Item]) -> String {
    items.iter().fold(text.to_owned(), |text, (name, item)| text.replace(&format!("${{{name}}}"), item))
}

fn tag(name: &str, value: String) -> Value {
    Value::Tagged(Box::new(TaggedValue { tag: Tag::new(name), value: value.into() }))
}

/// Adds to `own` what `shared` has beside, however deep.
fn add_absent(own: &mut Value, shared: &Value) {
    let (Value::Mapping(own), Value::Mapping(shared)) = (own, shared) else { return };
    for (name, value) in shared {
        match own.get_mut(name) {
            Some(of_own) => add_absent(of_own, value),
            None => _ = own.insert(name.clone(), value.clone()),
        }
    }
}

struct Conditions<'d> {
    written: &'d Value,
    parameters: &'d [(&'d str, &'d str)],
}

impl Conditions<'_> {
    /// `value` without its loops and `!If`s, `items` in the loops' places; nothing where it is `AWS::NoValue`.
    fn settle(&self, value: &Value, items: &[Item]) -> Option<Value> {
        match value {
            Value::Tagged(tagged) if tagged.tag == "If" => {
                let branch = if self.holds(tagged.value[0].as_str().unwrap()) { 1 } else { 2 };
                self.settle(&tagged.value[branch], items)
            }
            Value::Tagged(tagged) if tagged.tag == "Ref" && tagged.value == "AWS::NoValue" => None,
            Value::Tagged(tagged) if tagged.tag == "Ref" => {
                let item = items.iter().find(|(name, _)| tagged.value == *name);
                Some(item.map_or_else(|| value.clone(), |(_, item)| (*item).into()))
            }
            Value::Tagged(tagged) if tagged.tag == "Sub" => Some(self.text_of(&tagged.value, items)),
            Value::Tagged(tagged) if tagged.tag == "FindInMap" => Some(self.found(&tagged.value, items)),
            Value::Tagged(tagged) if tagged.tag == "GetAtt" && tagged.value.is_sequence() => {
                let names = self.settle(&tagged.value, items)?;
                let name = format!("{}.{}", names[0].as_str().unwrap(), names[1].as_str().unwrap());
                Some(tag("GetAtt", name))
            }
            Value::Tagged(tagged) => {
                let value = self.settle(&tagged.value, items)?;
                Some(Value::Tagged(Box::new(TaggedValue { tag: tagged.tag.clone(), value })))
            }
            Value::Sequence(values) => Some(values.iter().filter_map(|value| self.settle(value, items)).collect()),
            Value::Mapping(values) => {
                let mut settled = Mapping::new();
                for (key, value) in values {
                    self.settle_entry(key, value, items, &mut settled);
                }
                match settled.get("Ref") {
                    Some(Value::String(name)) => Some(tag("Ref", name.clone())),
                    _ => Some(Value::Mapping(settled)),
                }
            }
            _ => Some(value.clone()),
        }
    }

    /// Adds an entry to `settled`, and a loop's for each of its items.
    fn settle_entry(&self, key: &Value, value: &Value, items: &[Item], settled: &mut Mapping) {
        let Some(name) = key.as_str() else { return };
        if !name.starts_with("Fn::ForEach::") {
            let key = with_items(name, items);
            if let Some(value) = self.settle(value, items) {
                assert!(settled.insert(key.clone().into(), value).is_none(), "{key} twice");
            }
            return;
        }
        for item in value[1].as_sequence().unwrap() {
            let items = [items, &[(value[0].as_str().unwrap(), item.as_str().unwrap())]].concat();
            for (key, value) in value[2].as_mapping().unwrap() {
                self.settle_entry(key, value, &items, settled);
            }
        }
    }

    /// What a `!Sub` is: text, where nothing is left to be put in.
    fn text_of(&self, sub: &Value, items: &[Item]) -> Value {
        let (text, variables) = match sub {
            Value::Sequence(parts) => (&parts[0], self.settle(&parts[1], items).unwrap()),
            text => (text, Value::default()),
        };
        let mut text = with_items(text.as_str().unwrap(), items);
        for (name, value) in variables.as_mapping().into_iter().flatten() {
            let value = match value {
                Value::Tagged(reference) => format!("${{{}}}", reference.value.as_str().unwrap()),
                value => value.as_str().unwrap().to_owned(),
            };
            text = text.replace(&format!("${{{}}}", name.as_str().unwrap()), &value);
        }
        if text.contains("${") { tag("Sub", text) } else { text.into() }
    }

    /// What a `!FindInMap` finds.
    fn found(&self, path: &Value, items: &[Item]) -> Value {
        path.as_sequence().unwrap().iter().fold(self.written["Mappings"].clone(), |table, key| {
            let key = match self.settle(key, items).unwrap() {
                Value::Tagged(parameter) => self.value_of(&Value::Tagged(parameter)),
                key => key.as_str().unwrap().to_owned(),
            };
            assert!(!table[key.as_str()].is_null(), "no {key} in {path:?}");
            table[key.as_str()].clone()
        })
    }

    fn holds(&self, condition: &str) -> bool {
        let expression = &self.written["Conditions"][condition];
        assert!(!expression.is_null(), "no condition {condition}");
        self.is_true(expression)
    }

    fn is_true(&self, expression: &Value) -> bool {
        let Value::Tagged(tagged) = expression else { panic!("no condition: {expression:?}") };
        let operands = tagged.value.as_sequence();
        if tagged.tag == "Condition" {
            self.holds(tagged.value.as_str().unwrap())
        } else if tagged.tag == "Not" {
            !self.is_true(&tagged.value[0])
        } else if tagged.tag == "And" {
            operands.unwrap().iter().all(|operand| self.is_true(operand))
        } else if tagged.tag == "Or" {
            operands.unwrap().iter().any(|operand| self.is_true(operand))
        } else if tagged.tag == "Equals" {
            self.value_of(&tagged.value[0]) == self.value_of(&tagged.value[1])
        } else {
            panic!("no condition: {expression:?}")
        }
    }

    fn value_of(&self, operand: &Value) -> String {
        match operand {
            Value::String(text) => text.clone(),
            Value::Tagged(tagged) if tagged.tag == "Ref" => {
                let name = tagged.value.as_str().unwrap();
                let default = &self.written["Parameters"][name]["Default"];
                let given = self.parameters.iter().find(|(given, _)| *given == name);
                given.map_or_else(|| default.as_str().unwrap().to_owned(), |(_, value)| (*value).to_owned())
            }
            // A list joined with nothing between, to see whether it is empty.
            Value::Tagged(tagged) if tagged.tag == "Join" => self.value_of(&tagged.value[1]),
            _ => panic!("no operand: {operand:?}"),
        }
    }
}
