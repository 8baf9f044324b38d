//! Metrics: lines which `CloudWatch` reads them out of, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//!
//! No call is made and nothing is waited for.

mod emf;
mod fate;
mod namespace;
mod unit;
mod values;

pub(crate) use self::namespace::Namespace;
pub use self::{unit::Unit, values::Metrics};

#[cfg(test)]
mod tests;
