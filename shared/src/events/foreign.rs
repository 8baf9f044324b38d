//! Shapes that are known, and that no function here takes: named, so that nobody has to guess.

use super::{
    eventbridge::CLOUD_TRAIL,
    json::{Field, Kind, elements, fields, without_mark},
};

/// What the extended clients of SQS put before their pointer to an object.
const POINTERS: [&str; 2] =
    ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"];

/// A known shape that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Foreign {
    /// SNS asks whether the subscription is wanted, or says that it ended.
    #[error(
        "an SNS confirmation came from topic {topic} ({kind}): it is no notification, and whoever subscribes confirms it"
    )]
    Confirmation {
        /// The topic's ARN.
        topic: String,
        /// `SubscriptionConfirmation` or `UnsubscribeConfirmation`.
        kind: &'static str,
    },
    /// An extended client of SQS or SNS has put the payload into S3.
    #[error("the payload is in S3 (bucket {bucket}, key {key}), and this function does not fetch it")]
    Offloaded {
        /// The bucket.
        bucket: String,
        /// The object's name.
        key: String,
    },
    /// Compressed, as `CloudWatch` Logs sends what is subscribed to.
    #[error("gzip, as CloudWatch Logs sends it: this function does not decompress it")]
    Gzip,
    /// A call of the API that `CloudTrail` tells of.
    #[error("a call of AWS's API that CloudTrail tells of ({CLOUD_TRAIL}), not an object's event of S3")]
    CloudTrail,
}

impl Foreign {
    /// Whether these bytes are gzip.
    #[must_use]
    pub fn is_gzip(bytes: &[u8]) -> bool {
        bytes.starts_with(&[0x1f, 0x8b, 0x08])
    }

    /// What a message's body is, where it is one of these; for a body of which nothing else could be made.
    #[must_use]
    pub fn known(body: &str) -> Option<Self> {
        let body = without_mark(body);
        // Three bytes of base64 that every gzip file begins with.
        if body.starts_with("H4sI") {
            return Some(Self::Gzip);
        }
        match Kind::of(body)? {
            Kind::List => Self::pointer(body),
            Kind::Object => {
                let names = ["Type", "TopicArn", "awslogs", "detail-type"];
                let [kind, topic, logs, detail_type] = fields(body, "", names).ok()?;
                if logs.is_there() {
                    return Some(Self::Gzip);
                }
                if detail_type.quiet_text().as_deref() == Some(CLOUD_TRAIL) {
                    return Some(Self::CloudTrail);
                }
                let kind = match kind.quiet_text().as_deref() {
                    Some("SubscriptionConfirmation") => "SubscriptionConfirmation",
                    Some("UnsubscribeConfirmation") => "UnsubscribeConfirmation",
                    _ => return None,
                };
                Some(Self::Confirmation { topic: named(&topic), kind })
            }
            _ => None,
        }
    }

    fn pointer(body: &str) -> Option<Self> {
        let elements = elements(body, "").ok()?;
        let [name, pointer] = elements[..] else { return None };
        let name = super::json::text(name)?;
        if !POINTERS.contains(&&*name) {
            return None;
        }
        let [bucket, key] = fields(pointer, "", ["s3BucketName", "s3Key"]).ok()?;
        Some(Self::Offloaded { bucket: named(&bucket), key: named(&key) })
    }
}

fn named(field: &Field<'_>) -> String {
    field.identity().unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_shapes_are_named_and_a_users_own_json_is_not() {
        let pointer =
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "big", "s3Key": "0a"}]"#;
        let offloaded = Foreign::Offloaded { bucket: "big".to_owned(), key: "0a".to_owned() };
        assert_eq!(Foreign::known(pointer), Some(offloaded));
        let confirmation = r#"{"Type": "SubscriptionConfirmation", "TopicArn": "arn:t", "Token": "secret"}"#;
        let text = Foreign::known(confirmation).unwrap().to_string();
        assert!(text.contains("arn:t") && text.contains("confirmation") && !text.contains("secret"), "{text}");
        assert_eq!(Foreign::known(r#"{"awslogs": {"data": "H4sIAA=="}}"#), Some(Foreign::Gzip));
        assert_eq!(Foreign::known("H4sIAAAAAAAA"), Some(Foreign::Gzip));
        for body in ["", "null", "[]", r#"["x", {}]"#, "{}", r#"{"Type": "Notification"}"#, r#"{"name": "Ada"}"#, "H4"]
        {
            assert_eq!(Foreign::known(body), None, "{body}");
        }
    }
}
