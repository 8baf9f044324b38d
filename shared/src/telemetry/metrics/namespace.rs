//! Where metrics are filed.

use std::{fmt, str::FromStr};

/// The value of `METRICS_NAMESPACE`.
#[derive(Debug, Clone)]
pub(crate) struct Namespace(String);

impl Namespace {
    /// Filed nowhere.
    pub(crate) fn is_off(&self) -> bool {
        self.0 == "off"
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Namespace {
    type Err = NoNamespace;

    /// CloudWatch's rule, see
    /// [Namespaces](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace).
    fn from_str(text: &str) -> Result<Self, NoNamespace> {
        let is_namespace = (1..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#: ".contains(&byte))
            && !text.starts_with([':', '/'])
            && !text.starts_with("AWS/");
        if is_namespace { Ok(Self(text.to_owned())) } else { Err(NoNamespace) }
    }
}

#[derive(Debug)]
pub(crate) struct NoNamespace;

impl fmt::Display for NoNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1 to 255 letters, digits, blanks and . - _ / # :, and not one of AWS's own; or `off`")
    }
}
