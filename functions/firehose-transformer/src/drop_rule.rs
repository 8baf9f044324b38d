//! Which lines are left out.

use std::{borrow::Cow, str::FromStr};

use serde_json::value::RawValue;

use crate::line::{Fields, Object};

/// Says which lines are of no use at the destination: those where any of its fields has the value it names.
///
/// Written as `field=value` pairs with commas between: `level=debug,http.path=/health`. A field inside an object is
/// reached with dots; a top-level field whose name has the dots in it comes first. A value is compared with a string's
/// text, and with anything else as it is written: `retries=0`, `user=null`. Values hold no commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DropRule {
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    field: String,
    value: String,
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DropRuleError {
    /// Not a pair.
    #[error("{0:?} has no =, as in field=value")]
    NoValue(String),
    /// `=value`, or a path with nothing between its dots.
    #[error("{0:?} names no field")]
    NoField(String),
}

impl FromStr for DropRule {
    type Err = DropRuleError;

    fn from_str(text: &str) -> Result<Self, DropRuleError> {
        Ok(Self { pairs: text.split(',').map(pair).collect::<Result<_, _>>()? })
    }
}

fn pair(text: &str) -> Result<Pair, DropRuleError> {
    let (field, value) = text.split_once('=').ok_or_else(|| DropRuleError::NoValue(text.to_owned()))?;
    let (field, value) = (field.trim(), value.trim());
    if field.split('.').any(str::is_empty) {
        return Err(DropRuleError::NoField(text.to_owned()));
    }
    Ok(Pair { field: field.to_owned(), value: value.to_owned() })
}

impl DropRule {
    /// Whether a line is left out.
    pub(crate) fn drops(&self, line: &Object<'_>) -> bool {
        self.pairs.iter().any(|pair| find(&line.fields, &pair.field).is_some_and(|value| is(value, &pair.value)))
    }
}

/// The value of a field by its name, or by a path of names.
fn find<'a>(fields: &Fields<'a>, path: &str) -> Option<&'a RawValue> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let (name, rest) = path.split_once('.')?;
    let inner: Fields<'a> = serde_json::from_str(fields.get(name)?.get()).ok()?;
    find(&inner, rest)
}

fn is(value: &RawValue, text: &str) -> bool {
    let string: Option<Cow<'_, str>> = serde_json::from_str(value.get()).ok();
    string.map_or(value.get() == text, |string| string == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::objects;

    fn drops(rule: &str, line: &str) -> bool {
        let rule: DropRule = rule.parse().unwrap();
        rule.drops(&objects(line.as_bytes()).unwrap()[0])
    }

    #[test]
    fn any_pair_that_matches_drops_the_line() {
        let rule = "level=debug, http.path = /health ,retries=0,user=null";
        for line in [
            r#"{"level":"debug"}"#,
            r#"{"level":"de\u0062ug","a":1}"#,
            r#"{"http":{"path":"/health"}}"#,
            r#"{"http.path":"/health"}"#,
            r#"{"retries":0}"#,
            r#"{"retries":"0"}"#,
            r#"{"user":null}"#,
        ] {
            assert!(drops(rule, line), "{line}");
        }
        for line in
            ["{}", r#"{"level":"info"}"#, r#"{"http":"/health"}"#, r#"{"http":{"path":{}}}"#, r#"{"retries":0.0}"#]
        {
            assert!(!drops(rule, line), "{line}");
        }
    }

    #[test]
    fn no_rule_drops_nothing_and_an_empty_value_is_a_value() {
        assert!(!DropRule::default().drops(&objects(b"{}").unwrap()[0]));
        assert!(drops("name=", r#"{"name":""}"#));
        assert!(!drops("name=", "{}"));
    }

    #[test]
    fn a_rule_that_is_none_is_refused_with_the_part_that_is_wrong() {
        for (rule, problem) in [
            ("level", r#""level" has no =, as in field=value"#),
            ("level=debug,", r#""" has no =, as in field=value"#),
            ("=debug", r#""=debug" names no field"#),
            ("a..b=1", r#""a..b=1" names no field"#),
        ] {
            assert_eq!(rule.parse::<DropRule>().unwrap_err().to_string(), problem);
        }
    }
}
