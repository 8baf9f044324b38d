//! The way an event came.

use std::fmt;

/// One hop between the bucket and the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hop {
    /// An SNS topic wrapped it.
    Sns,
    /// An SQS queue held it.
    Sqs,
    /// EventBridge carried it.
    EventBridge,
}

/// The way from the bucket to the function, source first: `s3`, `s3-sns`, `s3-sns-sqs`, `s3-eventbridge`, …
///
/// With raw delivery the topic leaves no envelope, so S3 → SNS → SQS reads `s3-sqs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// From the bucket outwards.
    hops: Vec<Hop>,
}

impl Route {
    /// The route of envelopes peeled from the outside in.
    pub(crate) fn from_outside_in(peeled: &[Hop]) -> Self {
        Self { hops: peeled.iter().rev().copied().collect() }
    }

    /// The same route with one more hop next to the bucket.
    pub(crate) fn starting_with(mut self, hop: Hop) -> Self {
        self.hops.insert(0, hop);
        self
    }

    /// The hops, the one nearest to the bucket first; empty when S3 called the function itself.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("s3")?;
        for hop in &self.hops {
            f.write_str(match hop {
                Hop::Sns => "-sns",
                Hop::Sqs => "-sqs",
                Hop::EventBridge => "-eventbridge",
            })?;
        }
        Ok(())
    }
}
