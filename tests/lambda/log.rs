//! A line of a function's log, read as the tools outside read it.

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::Value;

/// One JSON object, its fields in the order they stand.
#[derive(Debug)]
pub(crate) struct Line {
    fields: Vec<(String, Value)>,
}

impl Line {
    /// Every line a function writes must be one.
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON line ({error}): {text}"))
    }

    /// A field's text; empty where the field is absent or no text.
    pub(crate) fn text(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether `CloudWatch` reads metrics out of it.
    pub(crate) fn is_metrics(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == "_aws")
    }

    /// The names of its fields.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether any field's text has this part.
    pub(crate) fn says(&self, part: &str) -> bool {
        self.fields.iter().any(|(_, value)| value.as_str().is_some_and(|text| text.contains(part)))
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Line;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Line { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
