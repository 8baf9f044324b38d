//! Which queue a record came from.

use std::fmt;

use super::error::EventError;

/// A queue, known by its ARN or its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    name: String,
    url: String,
}

impl Queue {
    /// Reads `arn:aws:sqs:<region>:<account>:<name>` and derives the URL, which saves a `GetQueueUrl` call.
    ///
    /// ```
    /// # use sluicegate::events::Queue;
    /// let queue = Queue::from_arn("arn:aws:sqs:eu-west-1:123456789012:jobs.fifo")?;
    /// assert_eq!(queue.url(), "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo");
    /// assert!(queue.is_fifo());
    /// # Ok::<_, sluicegate::events::EventError>(())
    /// ```
    pub fn from_arn(arn: &str) -> Result<Self, EventError> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sqs", region, account, name] = parts[..] else {
            return Err(EventError::UnknownShape { expected: "a queue ARN (arn:aws:sqs:REGION:ACCOUNT:NAME)" });
        };
        let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(Self { name: name.to_owned(), url: format!("https://sqs.{region}.{suffix}/{account}/{name}") })
    }

    /// Reads a queue URL: the name is its last segment.
    pub fn from_url(url: &str) -> Result<Self, EventError> {
        let name = url.rsplit('/').next().filter(|name| !name.is_empty() && url.contains("://"));
        let name = name.ok_or(EventError::UnknownShape { expected: "a queue URL (https://…/ACCOUNT/NAME)" })?;
        Ok(Self { name: name.to_owned(), url: url.to_owned() })
    }

    /// The queue's name, with `.fifo` where it has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What SQS calls take.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the order inside a message group counts. Message groups alone do not say so: on a standard queue they
    /// share capacity fairly and order nothing.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }
}

/// A queue URL, as settings give it.
impl std::str::FromStr for Queue {
    type Err = EventError;

    fn from_str(url: &str) -> Result<Self, EventError> {
        Self::from_url(url)
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
