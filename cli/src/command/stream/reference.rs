//! A stream as the user names it.

use std::str::FromStr;

/// What takes the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Kinesis data stream.
    Data,
    /// A Firehose delivery stream.
    Delivery,
}

/// A stream by name, or by ARN, which tells its kind and its region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamReference {
    pub(super) name: String,
    pub(super) told: Option<Told>,
}

/// What an ARN tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) kind: Kind,
}

impl FromStr for StreamReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with("arn:") {
            return Ok(Self { name: name(text)?, told: None });
        }
        let refusal = || {
            format!(
                "{text:?} is no stream's ARN: arn:aws:kinesis:REGION:ACCOUNT:stream/NAME or \
                 arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME"
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, service, region, _, resource] = parts[..] else { return Err(refusal()) };
        let (kind, resource) = match (service, resource.split_once('/')) {
            ("kinesis", Some(("stream", name))) => (Kind::Data, name),
            ("firehose", Some(("deliverystream", name))) => (Kind::Delivery, name),
            _ => return Err(refusal()),
        };
        let told = Told { arn: text.to_owned(), region: region.to_owned(), kind };
        Ok(Self { name: name(resource)?, told: Some(told) })
    }
}

/// Reads a name that Kinesis and Firehose take. See
/// [CreateStream](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html).
fn name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=128).contains(&text.len()) && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no stream name: 1 to 128 letters, digits, hyphens, underscores and periods"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_the_kind_and_the_region_and_a_name_neither() {
        for (arn, name, kind) in [
            ("arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", "clicks", Kind::Data),
            ("arn:aws-cn:firehose:eu-west-1:123456789012:deliverystream/to-s3", "to-s3", Kind::Delivery),
        ] {
            let stream: StreamReference = arn.parse().unwrap();
            let told = stream.told.unwrap();
            assert_eq!((stream.name.as_str(), told.region.as_str(), told.kind), (name, "eu-west-1", kind));
        }
        assert_eq!("clicks.1_a".parse(), Ok(StreamReference { name: "clicks.1_a".to_owned(), told: None }));
        for text in
            ["", "a b", "arn:aws:sqs:r:1:q", "arn:aws:kinesis:r:1:deliverystream/x", "arn:aws:kinesis:r:1:stream/"]
        {
            assert!(text.parse::<StreamReference>().is_err(), "{text:?}");
        }
    }
}
