//! What AWS asks for, in one place.
//!
//! List prices of us-east-1 in US dollars, first tier, without free tiers, as they were published at the time of [`AS_OF`].
//! Look at AWS's own pages before a budget is made of them: [SQS](https://aws.amazon.com/sqs/pricing/), [Lambda](https://aws.amazon.com/lambda/pricing/),
//! [CloudWatch Logs](https://aws.amazon.com/cloudwatch/pricing/). Other regions ask for a little more.

/// When and where these were the prices.
pub(crate) const AS_OF: &str = "June 2026, us-east-1";

/// A million requests to a standard queue.
pub(crate) const STANDARD_REQUESTS: f64 = 0.40;
/// A million requests to a FIFO queue.
pub(crate) const FIFO_REQUESTS: f64 = 0.50;
/// SQS counts each begun 64 KiB of a call's messages as a request.
pub(crate) const REQUEST_BYTES: u64 = 64 << 10;
/// A million invocations.
pub(crate) const INVOCATIONS: f64 = 0.20;
/// A GB-second on arm64.
pub(crate) const GB_SECOND_ARM64: f64 = 0.000_013_333_4;
/// A GB-second on x86-64.
pub(crate) const GB_SECOND_X86_64: f64 = 0.000_016_666_7;
/// A GB of log lines taken in.
pub(crate) const LOG_GB: f64 = 0.50;
