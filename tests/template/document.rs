//! The template as `CloudFormation` would deploy it: conditions decided, absent things gone.

use std::{fs, path::Path};

use serde_yaml_ng::{Mapping, Value, value::TaggedValue};

/// The template under some parameters. References (`!Ref`, `!GetAtt`, `!Sub`) are left on; `!If` and `Condition` are not.
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
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let written: Value = serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for (name, _) in parameters {
            assert!(!written["Parameters"][*name].is_null(), "the template has no parameter {name}");
        }
        let conditions = Conditions { written: &written, parameters };
        let mut deployed = conditions.settle(&written).unwrap();
        for part in ["Resources", "Outputs"] {
            let all = deployed[part].as_mapping_mut().unwrap();
            all.retain(|_, one| one.get("Condition").and_then(Value::as_str).is_none_or(|name| conditions.holds(name)));
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

struct Conditions<'d> {
    written: &'d Value,
    parameters: &'d [(&'d str, &'d str)],
}

impl Conditions<'_> {
    /// `value` without its `!If`s; nothing where it is `AWS::NoValue`.
    fn settle(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Tagged(tagged) if tagged.tag == "If" => {
                let branch = if self.holds(tagged.value[0].as_str().unwrap()) { 1 } else { 2 };
                self.settle(&tagged.value[branch])
            }
            Value::Tagged(tagged) if tagged.tag == "Ref" && tagged.value == "AWS::NoValue" => None,
            Value::Tagged(tagged) => {
                let value = self.settle(&tagged.value)?;
                Some(Value::Tagged(Box::new(TaggedValue { tag: tagged.tag.clone(), value })))
            }
            Value::Sequence(values) => Some(values.iter().filter_map(|value| self.settle(value)).collect()),
            Value::Mapping(values) => {
                let settled = values.iter().filter_map(|(key, value)| Some((key.clone(), self.settle(value)?)));
                Some(Value::Mapping(settled.collect::<Mapping>()))
            }
            _ => Some(value.clone()),
        }
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
