//! Message attributes as arguments: `NAME=VALUE`, `NAME:Number=5`, `NAME:Binary=AAEC`.

use base64::{Engine, prelude::BASE64_STANDARD};
use sluicegate::events::{AttributeValue, MessageAttribute};

/// Reads one. See
/// [message attributes](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-attributes).
pub(crate) fn attribute(text: &str) -> Result<(String, MessageAttribute), String> {
    let (left, value) = text.split_once('=').ok_or("an attribute is NAME=VALUE or NAME:TYPE=VALUE")?;
    let (name, data_type) = left.split_once(':').unwrap_or((left, "String"));
    check_name(name)?;
    if value.is_empty() {
        return Err(format!("{name} has no value, and SQS takes no empty attribute"));
    }
    let value = match data_type.split('.').next() {
        Some("String") => AttributeValue::Text(value.to_owned()),
        Some("Number") if value.parse().is_ok_and(f64::is_finite) => AttributeValue::Text(value.to_owned()),
        Some("Number") => return Err(format!("{value:?} is no number")),
        Some("Binary") => {
            let decoded = BASE64_STANDARD.decode(value);
            AttributeValue::Binary(decoded.map_err(|_not_base64| format!("the bytes of {name} are given in base64"))?)
        }
        _ => {
            return Err(format!(
                "{data_type:?} is no type: String, Number or Binary, with a label of your own after a dot"
            ));
        }
    };
    Ok((name.to_owned(), MessageAttribute { data_type: data_type.to_owned(), value }))
}

fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let has_odd_dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > 256 || !name.chars().all(is_allowed) || has_odd_dots {
        return Err(format!(
            "{name:?} is no attribute name: up to 256 letters, digits, underscores, hyphens and single dots inside"
        ));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(format!("{name} begins as only AWS's own attributes may"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_text_unless_its_type_is_said() {
        assert_eq!(attribute("JobType=NewDonor"), Ok(("JobType".to_owned(), MessageAttribute::text("NewDonor"))));
        let (_, number) = attribute("Count:Number.int=5").unwrap();
        assert_eq!((number.data_type.as_str(), number.as_text()), ("Number.int", Some("5")));
        let (_, photo) = attribute("Photo:Binary=AAEC").unwrap();
        assert_eq!(photo.value, AttributeValue::Binary(vec![0, 1, 2]));
        assert_eq!(attribute("Query=a=b:c").unwrap().1.as_text(), Some("a=b:c"));
    }

    #[test]
    fn what_sqs_would_refuse_is_refused_here() {
        let long = format!("{}=x", "n".repeat(257));
        for text in [
            "x",
            "=x",
            "x=",
            "a b=x",
            ".a=x",
            "a..b=x",
            "AWS.x=y",
            "amazon.x=y",
            "N:Number=five",
            "B:Binary=%",
            "T:Text=x",
            &long,
        ] {
            assert!(attribute(text).is_err(), "{text}");
        }
    }
}
