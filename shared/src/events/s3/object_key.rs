//! Object keys as S3 notifications send them: form-encoded.

use percent_encoding::percent_decode_str;

/// A key that cannot be turned back into the object's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object's key is not UTF-8 once decoded (byte {valid_up_to} of it on)")]
pub struct KeyError {
    /// How many decoded bytes are valid UTF-8.
    pub valid_up_to: usize,
}

/// Decodes a key of an S3 notification: `+` is a space, `%2B` a plus, the rest percent-encoded UTF-8.
///
/// Not for EventBridge events: there the key is sent as it is, and decoding it would damage names that hold a `+` or
/// a `%`. A `%` that no two hexadecimal digits follow stays as it is, as in every form decoder. See
/// [Event message structure](https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
///
/// ```
/// # use sluicegate::events::object_key;
/// assert_eq!(object_key::decode("my+photo%2B1.jpg")?, "my photo+1.jpg");
/// assert_eq!(object_key::decode("%ED%95%9C.txt")?, "한.txt");
/// assert!(object_key::decode("%FF.txt").is_err());
/// # Ok::<_, object_key::KeyError>(())
/// ```
pub fn decode(encoded: &str) -> Result<String, KeyError> {
    let spaced = encoded.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    String::from_utf8(bytes).map_err(|error| KeyError { valid_up_to: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    /// What S3 does to a key before it sends it: letters, digits, `.-*_` and `/` stand, a space is `+`, the rest `%XX`.
    fn encode_as_s3_does(key: &str) -> String {
        let mut encoded = String::new();
        for byte in key.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' | b'/' => {
                    encoded.push(byte as char);
                }
                b' ' => encoded.push('+'),
                _ => write!(encoded, "%{byte:02X}").unwrap(),
            }
        }
        encoded
    }

    proptest! {
        #[test]
        fn every_key_survives_the_round_trip(key in any::<String>()) {
            prop_assert_eq!(decode(&encode_as_s3_does(&key)).unwrap(), key);
        }

        #[test]
        fn any_text_is_decoded_or_refused_and_never_panics(text in any::<String>()) {
            let _ = decode(&text);
        }

        #[test]
        fn bytes_that_are_not_utf8_are_refused(prefix in "[a-z]{0,9}", byte in 0x80u8..=0xBF, suffix in "[a-z]{0,9}") {
            // A continuation byte with nothing before it to continue.
            let encoded = format!("{prefix}%{byte:02X}{suffix}");
            let error = decode(&encoded).unwrap_err();
            prop_assert_eq!(error.valid_up_to, prefix.len());
        }
    }

    #[test]
    fn a_percent_sign_without_digits_stays() {
        assert_eq!(decode("100%.txt").unwrap(), "100%.txt");
    }
}
