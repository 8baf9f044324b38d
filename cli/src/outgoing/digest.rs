//! The MD5s that SQS returns, made here from what was sent.
//!
//! See [Calculating the MD5 message digest](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation).

use std::fmt::Write as _;

use md5::{Digest, Md5};
use sluicegate::events::{AttributeValue, MessageAttributes};

use super::value_bytes;

/// The MD5 of a body, in hex.
pub(crate) fn of_body(body: &str) -> String {
    hex(Md5::digest(body).as_slice())
}

/// The MD5 of the attributes, in hex; SQS returns none when there are none.
pub(crate) fn of_attributes(attributes: &MessageAttributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut md5 = Md5::new();
    // In the order of their names, which is the map's.
    for (name, attribute) in attributes {
        add(&mut md5, name.as_bytes());
        add(&mut md5, attribute.data_type.as_bytes());
        md5.update(match attribute.value {
            AttributeValue::Text(_) => [1],
            AttributeValue::Binary(_) => [2],
        });
        add(&mut md5, value_bytes(&attribute.value));
    }
    Some(hex(md5.finalize().as_slice()))
}

/// The length in four bytes, then the bytes.
fn add(md5: &mut Md5, bytes: &[u8]) {
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use sluicegate::events::MessageAttribute;

    use super::*;

    #[test]
    fn a_bodys_digest_is_its_md5() {
        assert_eq!(of_body("hello"), "5d41402abc4b2a76b9719d911017c592");
    }

    /// As an emulator of SQS answered boto3 for the same attributes.
    #[test]
    fn the_digest_of_attributes_counts_lengths_types_and_the_kind_of_value() {
        let attributes = MessageAttributes::from([
            (
                "Photo".to_owned(),
                MessageAttribute { data_type: "Binary".into(), value: AttributeValue::Binary(vec![0, 1, 2]) },
            ),
            ("JobType".to_owned(), MessageAttribute::text("NewDonor")),
            (
                "Count".to_owned(),
                MessageAttribute { data_type: "Number".into(), value: AttributeValue::Text("5".into()) },
            ),
        ]);
        assert_eq!(of_attributes(&attributes).as_deref(), Some("fea48c9151441dd7e2d190f471e2e933"));
        assert_eq!(of_attributes(&MessageAttributes::new()), None);
    }
}
