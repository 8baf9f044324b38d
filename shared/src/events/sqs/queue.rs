//! Which queue a record came from.

use std::fmt;

use crate::events::error::EventError;

/// A queue, known by its ARN or its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    name: String,
    url: String,
    arn: Option<String>,
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
        let (["arn", partition, "sqs", region, account, name], false) = (&parts[..], parts.contains(&"")) else {
            return Err(EventError::UnknownShape { expected: "a queue ARN (arn:aws:sqs:REGION:ACCOUNT:NAME)" });
        };
        let suffix =
            PARTITIONS.iter().find(|known| known.name == *partition).map_or("amazonaws.com", |known| known.suffix);
        let url = format!("https://sqs.{region}.{suffix}/{account}/{name}");
        Ok(Self { name: (*name).to_owned(), url, arn: Some(arn.to_owned()) })
    }

    /// Reads a queue URL: the name is its last segment.
    pub fn from_url(url: &str) -> Result<Self, EventError> {
        let name = url.rsplit('/').next().filter(|name| !name.is_empty() && url.contains("://"));
        let name = name.ok_or(EventError::UnknownShape { expected: "a queue URL (https://…/ACCOUNT/NAME)" })?;
        Ok(Self { name: name.to_owned(), url: url.to_owned(), arn: arn_of(url) })
    }

    /// The queue of records that do not say where they came from. Nothing can be asked of it; it has the name `unknown`.
    pub(crate) fn unknown(is_fifo: bool) -> Self {
        let name = if is_fifo { "unknown.fifo" } else { "unknown" };
        Self { name: name.to_owned(), url: String::new(), arn: None }
    }

    /// The region it is in, where that can be told.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.arn.as_deref()?.split(':').nth(3)
    }

    /// The queue's ARN, where it was given or its URL says the region.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
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

/// A part of AWS that shares nothing with the others.
struct Partition {
    name: &'static str,
    /// How its regions begin.
    region_prefix: &'static str,
    /// How its hosts end.
    suffix: &'static str,
}

const fn partition(name: &'static str, region_prefix: &'static str, suffix: &'static str) -> Partition {
    Partition { name, region_prefix, suffix }
}

/// As the SDKs' `partitions.json` lists them; the first is what everything else is in.
const PARTITIONS: [Partition; 8] = [
    partition("aws", "", "amazonaws.com"),
    partition("aws-cn", "cn-", "amazonaws.com.cn"),
    partition("aws-us-gov", "us-gov-", "amazonaws.com"),
    partition("aws-eusc", "eusc-", "amazonaws.eu"),
    partition("aws-iso", "us-iso-", "c2s.ic.gov"),
    partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
];

/// Hosts of dual-stack endpoints end otherwise.
const DUAL_STACK_SUFFIXES: [&str; 7] = [
    "api.aws",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "api.cloud-aws.adc-e.uk",
    "api.aws.hci.ic.gov",
];

/// The region in a host of SQS, in every form AWS gives: `sqs.<region>.amazonaws.com`, FIPS, dual-stack, the interface
/// endpoint of a VPC, and the two older ones.
fn region_of(host: &str) -> Option<&str> {
    let suffixes = PARTITIONS.iter().map(|known| known.suffix).chain(DUAL_STACK_SUFFIXES);
    // The longest, as one may end as another does.
    let suffix = suffixes.filter(|suffix| host.ends_with(suffix)).max_by_key(|suffix| suffix.len())?;
    let labels = host.strip_suffix(suffix)?.strip_suffix('.')?;
    let labels = labels.strip_suffix(".vpce").unwrap_or(labels);
    match labels.rsplit('.').collect::<Vec<_>>()[..] {
        ["queue"] => Some("us-east-1"),
        ["queue", region] | [region, "sqs" | "sqs-fips"] | [region, "sqs", _] => Some(region),
        _ => None,
    }
}

/// Hosts that are none of AWS's do not say their region.
fn arn_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let region = region_of(host)?;
    let partition = PARTITIONS[1..].iter().find(|known| region.starts_with(known.region_prefix));
    let partition = partition.unwrap_or(&PARTITIONS[0]).name;
    Some(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
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
