//! What a metric is measured in.

/// A unit of `CloudWatch`, see
/// [MetricDatum](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Things.
    Count,
    /// Of a hundred.
    Percent,
    /// Time.
    Microseconds,
    /// Time.
    Milliseconds,
    /// Time.
    Seconds,
    /// Data.
    Bytes,
    /// Data, by 1,000 bytes.
    Kilobytes,
    /// Data, by 1,000,000 bytes.
    Megabytes,
    /// Data, by 1,000,000,000 bytes.
    Gigabytes,
    /// A rate.
    CountPerSecond,
    /// A rate.
    BytesPerSecond,
    /// A bare number.
    None,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Percent => "Percent",
            Self::Microseconds => "Microseconds",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
            Self::Kilobytes => "Kilobytes",
            Self::Megabytes => "Megabytes",
            Self::Gigabytes => "Gigabytes",
            Self::CountPerSecond => "Count/Second",
            Self::BytesPerSecond => "Bytes/Second",
            Self::None => "None",
        }
    }
}
