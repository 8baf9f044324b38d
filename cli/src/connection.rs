//! AWS: credentials, region and endpoint, and what its refusals mean.

mod refusal;
#[cfg(test)]
pub(crate) mod replay;

use anyhow::{Context as _, bail};
use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    profile::{self, ProfileFileCredentialsProvider},
    provider_config::ProviderConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_sqs::{operation::get_queue_url::GetQueueUrlError, types::QueueAttributeName};
use aws_types::os_shim_internal::{Env, Fs};
use sluicegate::{aws, events::Queue, settings::environment};

use self::refusal::Place;
use crate::{
    global::Global,
    queue_reference::{QueueName, QueueReference},
    usage::UsageError,
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
    /// Finds region and endpoint; credentials are looked for at the first call. A profile that was asked for by name gives
    /// them, and nothing else does: a command must not reach another account than the one that was meant.
    pub(crate) async fn open(global: &Global) -> anyhow::Result<Self> {
        let given = |option: &Option<String>| option.clone().filter(|value| !value.is_empty());
        let http_client = aws::http_client(environment);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client.clone())
            .timeout_config(aws::timeouts());
        let profile = given(&global.profile);
        if let Some(profile) = &profile {
            loader = loader.profile_name(profile);
        }
        let region = given(&global.region);
        let region_is_asked_for = region.is_some();
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint_url) = given(&global.endpoint_url) {
            loader = loader.endpoint_url(endpoint_url);
        }
        let named = profile.clone().or_else(|| environment("AWS_PROFILE").filter(|name| !name.is_empty()));
        if let Some(name) = named.as_ref().filter(|name| *name != "default") {
            let files = profile::load(&Fs::default(), &Env::default(), &EnvConfigFiles::default(), None).await?;
            if files.get_profile(name).is_none() {
                let known: Vec<&str> = files.profiles().collect();
                let known =
                    if known.is_empty() { "none is".to_owned() } else { format!("there are {}", known.join(", ")) };
                bail!("profile {name} is not in ~/.aws/config ({known}): choose another with --profile");
            }
        }
        let mut config = loader.load().await;
        if let Some(name) = profile {
            let machine = ProviderConfig::without_region().with_http_client(http_client);
            let machine = machine.with_region(config.region().cloned());
            let credentials = ProfileFileCredentialsProvider::builder().configure(&machine).profile_name(name).build();
            config = config.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        }
        Ok(Self { config, region_is_asked_for })
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

    /// Where AWS is, when it is not where it always is.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.config.endpoint_url()
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

    /// The URLs of the queues whose names begin so.
    pub(crate) async fn queue_urls(&self, prefix: Option<&str>) -> anyhow::Result<Vec<String>> {
        let prefix = prefix.filter(|prefix| !prefix.is_empty()).map(ToOwned::to_owned);
        // Without a page size the service stops at 1,000 queues and does not say so.
        let request = self.sqs()?.list_queues().set_queue_name_prefix(prefix).max_results(1_000);
        let mut pages = request.into_paginator().items().send();
        let mut urls = Vec::new();
        while let Some(url) = pages.next().await {
            urls.push(url.map_err(self.refusal("sqs:ListQueues", "this account's queues"))?);
        }
        Ok(urls)
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
            endpoint: self.endpoint().map(ToOwned::to_owned),
        }
    }
}

impl OpenQueue {
    /// As [`Connection::refusal`], about this queue.
    pub(crate) fn refusal<E: SdkFailure>(&self, action: &'static str) -> impl FnOnce(E) -> anyhow::Error {
        self.connection.refusal(action, self.queue.name())
    }

    /// What the toolkit says of a call it could not make, as the sentence that says what to do.
    pub(crate) fn refusal_in_words(&self, action: &'static str, words: &str) -> anyhow::Error {
        self.connection.place(action, self.queue.name()).explain(words)
    }

    /// Its ARN: one request.
    pub(crate) async fn arn(&self) -> anyhow::Result<String> {
        let request = self.sqs.get_queue_attributes().queue_url(self.queue.url());
        let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        let attributes = answer.map_err(self.refusal("sqs:GetQueueAttributes"))?.attributes;
        let arn = attributes.and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn));
        arn.with_context(|| format!("AWS did not tell the ARN of {}", self.queue))
    }

    /// The queues whose dead letters come here. `None` where the endpoint does not know the question, or may not be asked.
    pub(crate) async fn dead_letter_sources(&self) -> anyhow::Result<Option<Vec<Queue>>> {
        let request = self.sqs.list_dead_letter_source_queues().queue_url(self.queue.url()).max_results(1_000);
        let mut pages = request.into_paginator().items().send();
        let mut queues = Vec::new();
        while let Some(url) = pages.next().await {
            match url {
                Ok(url) => queues.extend(Queue::from_url(&url).ok()),
                Err(error) if error.as_service_error().is_some_and(|error| !error.is_queue_does_not_exist()) => {
                    return Ok(None);
                }
                Err(error) => return Err(self.refusal("sqs:ListDeadLetterSourceQueues")(error)),
            }
        }
        Ok(Some(queues))
    }

    /// Where it is, for whom a wrong one would matter: account, region, endpoint.
    pub(crate) fn place(&self, arn: Option<&str>) -> String {
        let arn = arn.or(self.queue.arn()).unwrap_or_default();
        let account = arn.split(':').nth(4).map_or_else(String::new, |account| format!(" of account {account}"));
        let endpoint = self.connection.endpoint().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
        format!("{}{account} in {}{endpoint}", self.queue, self.connection.region())
    }

    /// The adapter behind the toolkit's ports.
    pub(crate) fn adapter(&self) -> anyhow::Result<aws::sqs::SqsQueue> {
        Ok(aws::sqs::SqsQueue::new(self.connection.config()?))
    }
}
