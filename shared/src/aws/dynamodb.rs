//! The idempotency store in a `DynamoDB` table.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{error::call_error, lazy::Lazy};
use crate::{
    error_chain::error_chain,
    idempotency::{Attempt, Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError, Tries, fitted},
};

/// What `DynamoDB` takes for a partition key.
const MAX_KEY_BYTES: usize = 2_048;

/// Partition key: the effect's name, or the message's for its tries.
const KEY: &str = "idempotency_key";
/// `in_progress` or `completed`.
const STATUS: &str = "status";
/// The claim's token.
const OWNER: &str = "owner";
/// When the lease ends: milliseconds since 1970.
const LEASE_UNTIL: &str = "lease_until_ms";
/// When the work was done: milliseconds since 1970.
const COMPLETED_AT: &str = "completed_at_ms";
/// What the work read, as a hash.
const PAYLOAD_HASH: &str = "payload_hash";
/// What the work answered, as JSON.
const ANSWER: &str = "answer";
/// Failed attempts at a message: a set of [`Attempt::mark`]s.
const TRIES: &str = "tries";
/// Those of them that did not fail after all.
const TAKEN_BACK: &str = "taken_back";
/// When the item may be forgotten: seconds since 1970, the table's time-to-live attribute.
const EXPIRES_AT: &str = "expires_at";

const IN_PROGRESS: &str = "in_progress";
const COMPLETED: &str = "completed";

type Item = HashMap<String, AttributeValue>;

/// Remembers effects in a table whose partition key is `idempotency_key` and whose time-to-live attribute is
/// `expires_at`.
///
/// A claim is one conditional `PutItem` that returns the old item, granted or refused
/// ([`ReturnValuesOnConditionCheckFailure`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html)),
/// so a duplicate costs one write and no read. `DynamoDB` removes expired items within days, not at once; the condition
/// looks at the time itself. Keys longer than it takes are hashed.
#[derive(Debug, Clone)]
pub struct DynamoDbStore {
    client: Lazy<Client>,
    table: String,
}

impl DynamoDbStore {
    /// Opens nothing before the first call.
    #[must_use]
    pub fn new(config: &SdkConfig, table: String) -> Self {
        Self { client: Lazy::new(config, Client::new), table }
    }
}

impl IdempotencyStore for DynamoDbStore {
    async fn claim(&self, claim: &Claim, now: SystemTime) -> Result<ClaimAnswer, StoreError> {
        let put = self
            .client
            .get()
            .put_item()
            .table_name(&self.table)
            .item(KEY, key(&claim.key))
            .item(STATUS, text(IN_PROGRESS))
            .item(OWNER, text(&claim.owner))
            .item(LEASE_UNTIL, milliseconds(claim.lease_until))
            .item(EXPIRES_AT, seconds(claim.expires_at))
            .condition_expression(
                "attribute_not_exists(#key) OR #expires < :now_s OR (#status = :in_progress AND #lease < :now_ms) \
                 OR (#status = :completed AND #completed_at < :stale)",
            )
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_names("#completed_at", COMPLETED_AT)
            .expression_attribute_values(":now_s", seconds(now))
            .expression_attribute_values(":now_ms", milliseconds(now))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS))
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":stale", milliseconds(claim.stale_before.unwrap_or(UNIX_EPOCH)))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match &claim.payload_hash {
            Some(hash) => put.item(PAYLOAD_HASH, text(hash)),
            None => put,
        };
        match Box::pin(put.send()).await {
            Ok(granted) => {
                let old = granted.attributes.unwrap_or_default();
                let is_alive = time_of(&old, EXPIRES_AT, Duration::from_secs).is_some_and(|expiry| expiry >= now);
                Ok(ClaimAnswer::Granted { after_lapsed_lease: is_alive && is(&old, STATUS, IN_PROGRESS) })
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(refusal) => {
                    answer(claim, refusal.item().unwrap_or(&Item::new()))
                }
                other => Err(StoreError(error_chain(&other))),
            },
            Err(error) => Err(StoreError(call_error(error).message)),
        }
    }

    async fn complete(&self, claim: &Claim, now: SystemTime) -> Result<Ownership, StoreError> {
        let answer = if claim.answer.is_some() { ", #answer = :answer" } else { "" };
        let update = self
            .update_item(&claim.key)
            .update_expression(format!(
                "SET #status = :completed, #completed_at = :now, #expires = :expires{answer} REMOVE #lease"
            ))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#completed_at", COMPLETED_AT)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":expires", seconds(claim.expires_at))
            .expression_attribute_values(":owner", text(&claim.owner));
        let update = match &claim.answer {
            Some(answer) => update
                .expression_attribute_names("#answer", ANSWER)
                .expression_attribute_values(":answer", text(answer)),
            None => update,
        };
        updated(Box::pin(update.send()).await.map(drop))
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let delete = self
            .delete_item(&claim.key)
            .condition_expression("#owner = :owner AND #status = :in_progress")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":owner", text(&claim.owner))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS));
        deleted(Box::pin(delete.send()).await.map(drop))
    }

    async fn set_lease(&self, claim: &Claim, until: SystemTime) -> Result<Ownership, StoreError> {
        let update = self
            .update_item(&claim.key)
            .update_expression("SET #lease = :until")
            .condition_expression("#owner = :owner AND #status = :in_progress")
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":until", milliseconds(until))
            .expression_attribute_values(":owner", text(&claim.owner))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS));
        updated(Box::pin(update.send()).await.map(drop))
    }

    /// One update that adds to a set, and so may be made again. An item that has expired and is not yet removed goes on
    /// counting: it is days old.
    async fn count_try(&self, attempt: &Attempt) -> Result<Tries, StoreError> {
        let update = self
            .update_item(&attempt.key)
            .update_expression("ADD #tries :mark SET #expires = :expires")
            .expression_attribute_names("#tries", TRIES)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_values(":mark", AttributeValue::Ss(vec![attempt.mark()]))
            .expression_attribute_values(":expires", seconds(attempt.expires_at))
            .return_values(ReturnValue::AllNew);
        let counted = Box::pin(update.send()).await.map_err(|error| StoreError(call_error(error).message))?;
        let item = counted.attributes.unwrap_or_default();
        let taken_back: Vec<&str> = marks_of(&item, TAKEN_BACK).collect();
        let tries = Tries::of_marks(marks_of(&item, TRIES), |mark| taken_back.contains(&mark));
        Ok(tries.unwrap_or(Tries { count: 0, first_at: attempt.at }))
    }

    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let update = self
            .update_item(&attempt.key)
            .update_expression("ADD #taken_back :mark SET #expires = :expires")
            .expression_attribute_names("#taken_back", TAKEN_BACK)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_values(":mark", AttributeValue::Ss(vec![attempt.mark()]))
            .expression_attribute_values(":expires", seconds(attempt.expires_at));
        Box::pin(update.send()).await.map(drop).map_err(|error| StoreError(call_error(error).message))
    }
}

impl DynamoDbStore {
    fn update_item(&self, name: &str) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client.get().update_item().table_name(&self.table).key(KEY, key(name))
    }

    fn delete_item(&self, name: &str) -> aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder {
        self.client.get().delete_item().table_name(&self.table).key(KEY, key(name))
    }
}

/// What the item in the way of a claim says.
fn answer(claim: &Claim, item: &Item) -> Result<ClaimAnswer, StoreError> {
    if is(item, OWNER, &claim.owner) {
        // The first answer was lost on the way and the SDK asked again: the claim is ours.
        return Ok(ClaimAnswer::Granted { after_lapsed_lease: false });
    }
    if is(item, STATUS, COMPLETED) {
        let text = |attribute| text_of(item, attribute).map(ToOwned::to_owned);
        return Ok(ClaimAnswer::Completed { payload_hash: text(PAYLOAD_HASH), answer: text(ANSWER) });
    }
    let lease_until = time_of(item, LEASE_UNTIL, Duration::from_millis);
    let lease_until = lease_until.ok_or_else(|| StoreError(format!("the item of the claim has no {LEASE_UNTIL}")))?;
    Ok(ClaimAnswer::InProgress { lease_until })
}

fn updated(
    outcome: Result<(), SdkError<UpdateItemError, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> Result<Ownership, StoreError> {
    match outcome {
        Ok(()) => Ok(Ownership::Held),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Ok(Ownership::Lost)
        }
        Err(error) => Err(StoreError(call_error(error).message)),
    }
}

fn deleted(
    outcome: Result<(), SdkError<DeleteItemError, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> Result<Ownership, StoreError> {
    match outcome {
        Ok(()) => Ok(Ownership::Held),
        Err(error) if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) => {
            Ok(Ownership::Lost)
        }
        Err(error) => Err(StoreError(call_error(error).message)),
    }
}

fn key(name: &str) -> AttributeValue {
    AttributeValue::S(fitted(name, MAX_KEY_BYTES).into_owned())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn milliseconds(time: SystemTime) -> AttributeValue {
    AttributeValue::N(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string())
}

fn seconds(time: SystemTime) -> AttributeValue {
    AttributeValue::N(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string())
}

fn text_of<'i>(item: &'i Item, attribute: &str) -> Option<&'i str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

fn is(item: &Item, attribute: &str, value: &str) -> bool {
    text_of(item, attribute) == Some(value)
}

fn number_of(item: &Item, attribute: &str) -> Option<u64> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}

fn marks_of<'i>(item: &'i Item, attribute: &str) -> impl Iterator<Item = &'i str> {
    item.get(attribute).and_then(|value| value.as_ss().ok()).into_iter().flatten().map(String::as_str)
}

fn time_of(item: &Item, attribute: &str, unit: fn(u64) -> Duration) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(unit(number_of(item, attribute)?))
}

#[cfg(test)]
mod tests;
