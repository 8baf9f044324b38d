//! AWS: credentials, region and endpoint, and what its refusals mean.

mod refusal;
#[cfg(test)]
pub(crate) mod replay;

use anyhow::{Context as _, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use sluicegate::{aws, events::Queue, settings::environment};

use self::refusal::Place;
use crate::{
    arguments::{Global, UsageError},
    queue_reference::{QueueName, QueueReference},
};

pub(crate) use self::refusal::SdkFailure;

/// The configuration of all SDK clients, found as every AWS tool finds it: options, environment, profile, single
/// sign-on, container, instance.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    config: SdkConfig,
    region_is_asked_for: bool,
}

/// A queue, and a client that reaches it: the queue's URL or ARN may name another region than the user's own.
#[derive(Debug, Clone)]
pub(crate) struct OpenQueue {
    pub(crate) queue: Queue,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) connection: Connection,
}

impl Connection {
    /// Finds region and endpoint; credentials are looked for at the first call.
    pub(crate) async fn open(global: &Global) -> anyhow::Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws::http_client(environment))
            .timeout_config(aws::timeouts());
        if let Some(profile) = &global.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &global.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint_url) = &global.endpoint_url {
            loader = loader.endpoint_url(endpoint_url);
        }
        let config = loader.load().await;
        Ok(Self { config, region_is_asked_for: global.region.is_some() })
    }

    /// A connection made by hand.
    #[cfg(test)]
    pub(crate) fn with(config: SdkConfig) -> Self {
        Self { config, region_is_asked_for: false }
    }

    /// What SDK clients and the toolkit's adapters are made from, for calls that name no queue.
    pub(crate) fn config(&self) -> anyhow::Result<&SdkConfig> {
        if self.config.region().is_none() {
            bail!("no AWS region is set: add --region, set AWS_REGION, or put one into your profile (aws configure)");
        }
        Ok(&self.config)
    }

    /// The region, or nothing when none is set.
    pub(crate) fn region(&self) -> &str {
        self.config.region().map(AsRef::as_ref).unwrap_or_default()
    }

    /// A client for calls that name no queue.
    pub(crate) fn sqs(&self) -> anyhow::Result<aws_sdk_sqs::Client> {
        Ok(aws_sdk_sqs::Client::new(self.config()?))
    }

    /// Finds a queue. Only a name costs a call (`GetQueueUrl`); whether the queue of a URL or an ARN exists, the first
    /// call to it tells.
    pub(crate) async fn queue(&self, reference: &QueueReference) -> anyhow::Result<OpenQueue> {
        match reference {
            QueueReference::Known { queue, region } => {
                let connection = self.in_region(region.as_deref())?;
                Ok(OpenQueue { queue: queue.clone(), sqs: connection.sqs()?, connection })
            }
            QueueReference::Named(name) => {
                let open = self.find_queue(name).await?;
                open.ok_or_else(|| self.place("sqs:GetQueueUrl", name.as_str()).no_such_queue())
            }
        }
    }

    /// The queue of this name, if there is one.
    pub(crate) async fn find_queue(&self, name: &QueueName) -> anyhow::Result<Option<OpenQueue>> {
        let sqs = self.sqs()?;
        let answer = match sqs.get_queue_url().queue_name(name.as_str()).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) => {
                return Ok(None);
            }
            Err(error) => return Err(self.refusal("sqs:GetQueueUrl", name.as_str())(error)),
        };
        let url = answer.queue_url.context("AWS answered GetQueueUrl without a URL")?;
        Ok(Some(OpenQueue { queue: Queue::from_url(&url)?, sqs, connection: self.clone() }))
    }

    /// The same connection to the region that a queue says it is in.
    pub(crate) fn in_region(&self, region: Option<&str>) -> anyhow::Result<Self> {
        let Some(region) = region else { return Ok(self.clone()) };
        let own = self.config.region().map(AsRef::as_ref);
        if own == Some(region) {
            return Ok(self.clone());
        }
        if self.region_is_asked_for {
            let own = own.unwrap_or_default();
            bail!(UsageError(format!("the queue is in {region}, but --region says {own}: leave --region out")));
        }
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Ok(Self { config, ..self.clone() })
    }

    /// Turns the failure of a call into a sentence that says what to do: `.map_err(connection.refusal("sqs:SendMessage",
    /// queue.name()))`. `subject` is the queue's or topic's name.
    pub(crate) fn refusal<E: SdkFailure>(
        &self,
        action: &'static str,
        subject: &str,
    ) -> impl FnOnce(E) -> anyhow::Error {
        let place = self.place(action, subject);
        move |error| error.explain(&place)
    }

    fn place(&self, action: &'static str, subject: &str) -> Place {
        Place {
            action,
            subject: subject.to_owned(),
            region: self.region().to_owned(),
            endpoint: self.config.endpoint_url().map(ToOwned::to_owned),
        }
    }
}

impl OpenQueue {
    /// As [`Connection::refusal`], about this queue.
    pub(crate) fn refusal<E: SdkFailure>(&self, action: &'static str) -> impl FnOnce(E) -> anyhow::Error {
        self.connection.refusal(action, self.queue.name())
    }

    /// The adapter behind the toolkit's ports.
    pub(crate) fn adapter(&self) -> anyhow::Result<aws::sqs::SqsQueue> {
        Ok(aws::sqs::SqsQueue::new(self.connection.config()?))
    }
}
