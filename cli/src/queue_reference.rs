//! A queue as the user names it: by URL, ARN or name.

use std::str::FromStr;

use sluicegate::events::Queue;

/// How the user named a queue. Reading it calls nothing; [`Connection::queue`](crate::connection::Connection::queue)
/// finds the queue, and asks AWS only when a name is all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueueReference {
    /// By URL or ARN, with the region where it says one.
    Known { queue: Queue, region: Option<String> },
    /// By a name in the account and region of the caller.
    Named(QueueName),
}

impl QueueReference {
    fn known(queue: Queue) -> Result<Self, String> {
        queue.name().parse::<QueueName>()?;
        Ok(Self::Known { region: queue.region().map(ToOwned::to_owned), queue })
    }

    /// The queue's name, whichever way it was given.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known { queue, .. } => queue.name(),
            Self::Named(name) => &name.0,
        }
    }
}

impl FromStr for QueueReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("arn:") {
            let queue = Queue::from_arn(text)
                .map_err(|_unknown_shape| format!("{text:?} is no queue ARN: arn:aws:sqs:REGION:ACCOUNT:NAME"))?;
            return Self::known(queue);
        }
        if text.contains("://") {
            let queue = Queue::from_url(text).map_err(|_unknown_shape| {
                format!("{text:?} is no queue URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME")
            })?;
            return Self::known(queue);
        }
        text.parse().map(Self::Named)
    }
}

/// A name that SQS takes: up to 80 letters, digits, hyphens and underscores, `.fifo` included.
/// See [CreateQueue](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueName(String);

impl QueueName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.0.ends_with(".fifo")
    }

    /// A name beside this one: `jobs` → `jobs-dlq`, `jobs.fifo` → `jobs-dlq.fifo`.
    pub(crate) fn with_suffix(&self, suffix: &str) -> Result<Self, String> {
        match self.0.strip_suffix(".fifo") {
            Some(stem) => format!("{stem}{suffix}.fifo").parse(),
            None => format!("{}{suffix}", self.0).parse(),
        }
    }
}

impl FromStr for QueueName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stem = text.strip_suffix(".fifo").unwrap_or(text);
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if text.len() <= 80 && !stem.is_empty() && stem.chars().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "{text:?} is no queue name: up to 80 letters, digits, hyphens and underscores, with .fifo at the end of a FIFO queue's"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_its_url_or_arn_with_its_region() {
        for text in ["https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "arn:aws:sqs:eu-west-1:123456789012:jobs"]
        {
            let QueueReference::Known { queue, region } = text.parse().unwrap() else { panic!("{text}") };
            assert_eq!(queue.url(), "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs");
            assert_eq!(region.as_deref(), Some("eu-west-1"));
        }
    }

    #[test]
    fn a_url_brings_its_region_in_every_form_that_aws_gives() {
        for host in [
            "sqs-fips.us-gov-west-1.amazonaws.com",
            "sqs.us-gov-west-1.api.aws",
            "us-gov-west-1.queue.amazonaws.com",
            "vpce-0a1b-c2d3.sqs.us-gov-west-1.vpce.amazonaws.com",
        ] {
            let reference: QueueReference = format!("https://{host}/123456789012/jobs").parse().unwrap();
            let QueueReference::Known { region, .. } = reference else { panic!("{host}") };
            assert_eq!(region.as_deref(), Some("us-gov-west-1"), "{host}");
        }
    }

    #[test]
    fn an_emulators_url_says_no_region() {
        let reference: QueueReference = "http://127.0.0.1:4566/000000000000/jobs.fifo".parse().unwrap();
        let QueueReference::Known { queue, region } = reference else { panic!() };
        assert_eq!((queue.name(), queue.is_fifo(), region), ("jobs.fifo", true, None));
    }

    #[test]
    fn anything_else_is_a_name() {
        assert_eq!("jobs".parse(), Ok(QueueReference::Named(QueueName("jobs".to_owned()))));
    }

    #[test]
    fn what_no_queue_can_be_called_is_refused() {
        let long = "x".repeat(81);
        for text in
            ["", ".fifo", "a b", "jobs.fif", "jobs.fifo.fifo", "ü", "arn:aws:sns:r:1:t", "https://", long.as_str()]
        {
            assert!(text.parse::<QueueReference>().is_err(), "{text:?}");
        }
    }
}
