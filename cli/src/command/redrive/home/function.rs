//! Functions: whose failed events come here, and how they are invoked.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_sdk_lambda::Client;
use serde_json::Value;
use sluicegate::{
    aws::lambda::LambdaFunction,
    delivery::{Invoke, InvokeError, TargetFunction},
};

use super::{Form, Home, Homes, Place};
use crate::{connection::Connection, dead_letter::Place as Records, flow::plain};

/// Beyond a function's own time: its start, and the way there and back.
const MARGIN: Duration = Duration::from_secs(20);

/// A function that letters go to.
#[derive(Debug, Clone)]
pub(in super::super) struct Function {
    /// ARN or name, with its version or alias.
    reference: String,
    adapter: LambdaFunction,
    /// How long an answer may take.
    pub(in super::super) limit: Duration,
}

impl Function {
    /// By ARN or name.
    pub(in super::super) async fn find(connection: &Connection, reference: &str) -> anyhow::Result<Self> {
        let (connection, client) = client(connection, reference)?;
        let answer = client.get_function_configuration().function_name(reference).send().await;
        let answer = answer.map_err(connection.refusal("lambda:GetFunctionConfiguration", reference))?;
        let timeout = answer.timeout().and_then(|seconds| u64::try_from(seconds).ok()).context("it has no time-out")?;
        let adapter = LambdaFunction::new(connection.config()?, reference.to_owned());
        Ok(Self { reference: reference.to_owned(), adapter, limit: Duration::from_secs(timeout) + MARGIN })
    }

    pub(in super::super) fn name(&self) -> &str {
        self.reference.split_once(":function:").map_or(&*self.reference, |(_, name)| name)
    }

    /// Done means done: it answered, without an error, and named no record as failed.
    pub(in super::super) async fn invoke(&self, event: &str, invoke: Invoke) -> Result<(), InvokeError> {
        let answered = tokio::time::timeout(self.limit, self.adapter.invoke(event, invoke)).await;
        let in_doubt = |_elapsed| InvokeError::Unanswered("no answer came: whether it ran is not known".to_owned());
        let answer = answered.map_err(in_doubt)??;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        match answer["batchItemFailures"].as_array().map_or(0, Vec::len) {
            0 => Ok(()),
            failed => Err(InvokeError::Failed(format!("it named {failed} of the records as failed"))),
        }
    }
}

impl Homes {
    /// The function, if its on-failure destination is this queue.
    pub(super) async fn destination_of(&self, arn: &str) -> anyhow::Result<Home> {
        let (connection, client) = client(&self.dlq.connection, arn)?;
        // One for each version and alias that has any; unqualified is `$LATEST`.
        let mut pages =
            client.list_function_event_invoke_configs().function_name(plain(arn)).into_paginator().items().send();
        let mut destination = None;
        while let Some(config) = pages.next().await {
            let config = config.map_err(connection.refusal("lambda:ListFunctionEventInvokeConfigs", arn))?;
            let named = config.destination_config.and_then(|to| to.on_failure?.destination);
            destination = destination.or(named.filter(|named| *named == self.dlq_arn));
        }
        self.led_here(destination.as_deref(), || format!("the on-failure destination of function {arn}"))?;
        self.function(arn).await
    }

    /// The one function whose dead-letter setting is this queue.
    pub(super) async fn only_function(&self) -> anyhow::Result<Home> {
        let connection = &self.dlq.connection;
        let mut pages = Client::new(connection.config()?).list_functions().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(function) = pages.next().await {
            let function = function.map_err(connection.refusal("lambda:ListFunctions", "this account's functions"))?;
            let target = function.dead_letter_config().and_then(|config| config.target_arn());
            if target.is_some_and(|target| target == self.dlq_arn) {
                found.extend(function.function_arn);
            }
        }
        match found.as_slice() {
            [only] => self.function(only).await,
            [] => bail!("no function has {} as its dead-letter queue: add --function NAME", self.dlq.queue),
            many => bail!("{} functions have {} as theirs: add --function NAME", many.len(), self.dlq.queue),
        }
    }

    /// The function of the mapping that leaves this stream's letters here.
    pub(super) async fn mapping_of(&self, place: &Records) -> anyhow::Result<Home> {
        let Records { function, stream, .. } = place;
        let (connection, client) = client(&self.dlq.connection, function)?;
        let request = client.list_event_source_mappings().function_name(function).event_source_arn(stream);
        let mut pages = request.into_paginator().items().send();
        while let Some(mapping) = pages.next().await {
            let mapping = mapping.map_err(connection.refusal("lambda:ListEventSourceMappings", function))?;
            let destination = mapping.destination_config().and_then(|to| to.on_failure()?.destination());
            let (Some(destination), Some(arn)) = (destination, mapping.function_arn()) else { continue };
            if destination == self.dlq_arn {
                if mapping.filter_criteria().is_some_and(|criteria| !criteria.filters().is_empty()) {
                    bail!("the mapping of {function} filters its records, which is not done here: add --function NAME");
                }
                return self.function(arn).await;
            }
        }
        let dlq = &self.dlq.queue;
        bail!("they say that they came from {stream}, but no mapping of function {function} names {dlq}")
    }

    pub(super) async fn function(&self, arn: &str) -> anyhow::Result<Home> {
        let function = Function::find(&self.dlq.connection, arn).await?;
        Ok(Home::new(Place::Function(function), Form::Whole))
    }

    /// Refuses what the configuration does not bear out.
    pub(super) fn led_here(&self, arn: Option<&str>, whose: impl FnOnce() -> String) -> anyhow::Result<()> {
        if arn.is_none_or(|arn| arn != self.dlq_arn) {
            bail!("{} is not {}", whose(), self.dlq.queue);
        }
        Ok(())
    }
}

/// A client for the function's own region.
fn client(connection: &Connection, reference: &str) -> anyhow::Result<(Connection, Client)> {
    let region = reference.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    let connection = connection.in_region(region.filter(|region| !region.is_empty()))?;
    let client = Client::new(connection.config()?);
    Ok((connection, client))
}
