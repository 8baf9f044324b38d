//! Where a queue's messages go that fail too often.

use serde_json::Value;

/// What a queue says of its dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    /// The dead-letter queue's ARN, or only its name while the queue does not exist.
    pub(crate) arn: String,
    pub(crate) max_receives: u32,
}

impl RedrivePolicy {
    /// Reads the attribute; AWS writes the count as a number, other tools as text.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let policy: Value = serde_json::from_str(json).ok()?;
        let count = &policy["maxReceiveCount"];
        let max_receives = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        Some(Self {
            arn: policy["deadLetterTargetArn"].as_str()?.to_owned(),
            max_receives: u32::try_from(max_receives).ok()?,
        })
    }
}

/// The queue that a subscription's redrive policy names, which counts no receives.
pub(crate) fn dead_letter_target(json: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(json).ok()?;
    Some(policy["deadLetterTargetArn"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_as_number_or_text() {
        for count in ["5", "\"5\""] {
            let text = format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:r:1:dead","maxReceiveCount":{count}}}"#);
            assert_eq!(RedrivePolicy::read(&text).unwrap().max_receives, 5);
        }
    }
}
