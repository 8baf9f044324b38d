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
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::{error::call_error, lazy::Lazy};
use crate::{
    error_chain::error_chain,
    idempotency::{Claim, ClaimAnswer, IdempotencyStore, Ownership, StoreError},
};

/// Partition key: the effect's name.
const KEY: &str = "idempotency_key";
/// `in_progress` or `completed`.
const STATUS: &str = "status";
/// Whose claim it is.
const OWNER: &str = "owner";
/// Milliseconds since 1970.
const LEASE_UNTIL: &str = "lease_until_ms";
/// Seconds since 1970: the table's time-to-live attribute.
const EXPIRES_AT: &str = "expires_at";

const IN_PROGRESS: &str = "in_progress";
const COMPLETED: &str = "completed";

/// Remembers effects in a table whose partition key is `idempotency_key` and whose time-to-live attribute is
/// `expires_at`.
///
/// A claim is one conditional `PutItem`; refused, it returns the old item
/// ([`ReturnValuesOnConditionCheckFailure`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html)),
/// so a duplicate costs one write and no read. `DynamoDB` removes expired items within days, not at once; the condition
/// looks at the time itself.
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
            .item(KEY, text(&claim.key))
            .item(STATUS, text(IN_PROGRESS))
            .item(OWNER, text(&claim.owner))
            .item(LEASE_UNTIL, number(milliseconds(claim.lease_until)))
            .item(EXPIRES_AT, number(seconds(claim.expires_at)))
            .condition_expression(
                "attribute_not_exists(#key) OR #expires < :now_s OR (#status = :in_progress AND #lease < :now_ms)",
            )
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_values(":now_s", number(seconds(now)))
            .expression_attribute_values(":now_ms", number(milliseconds(now)))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match Box::pin(put.send()).await {
            Ok(_) => Ok(ClaimAnswer::Granted),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(refusal) => {
                    answer(claim, refusal.item().unwrap_or(&HashMap::new()))
                }
                other => Err(StoreError(error_chain(&other))),
            },
            Err(error) => Err(StoreError(call_error(error).message)),
        }
    }

    async fn complete(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let update = self
            .client
            .get()
            .update_item()
            .table_name(&self.table)
            .key(KEY, text(&claim.key))
            .update_expression("SET #status = :completed, #expires = :expires REMOVE #lease")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#lease", LEASE_UNTIL)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":expires", number(seconds(claim.expires_at)))
            .expression_attribute_values(":owner", text(&claim.owner));
        match Box::pin(update.send()).await {
            Ok(_) => Ok(Ownership::Held),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Ownership::Lost)
            }
            Err(error) => Err(StoreError(call_error(error).message)),
        }
    }

    async fn release(&self, claim: &Claim) -> Result<Ownership, StoreError> {
        let delete = self
            .client
            .get()
            .delete_item()
            .table_name(&self.table)
            .key(KEY, text(&claim.key))
            .condition_expression("#owner = :owner AND #status = :in_progress")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":owner", text(&claim.owner))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS));
        match Box::pin(delete.send()).await {
            Ok(_) => Ok(Ownership::Held),
            Err(error)
                if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Ownership::Lost)
            }
            Err(error) => Err(StoreError(call_error(error).message)),
        }
    }
}

/// What the item in the way of a claim says.
fn answer(claim: &Claim, item: &HashMap<String, AttributeValue>) -> Result<ClaimAnswer, StoreError> {
    let is = |attribute: &str, value: &str| {
        item.get(attribute).and_then(|found| found.as_s().ok()).is_some_and(|s| s == value)
    };
    if is(OWNER, &claim.owner) {
        // The first answer was lost on the way and the SDK asked again: the claim is ours.
        return Ok(ClaimAnswer::Granted);
    }
    if is(STATUS, COMPLETED) {
        return Ok(ClaimAnswer::Completed);
    }
    let lease_until = item.get(LEASE_UNTIL).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    let lease_until =
        lease_until.ok_or_else(|| StoreError(format!("the item {:?} has no {LEASE_UNTIL}", claim.key)))?;
    Ok(ClaimAnswer::InProgress { lease_until: UNIX_EPOCH + Duration::from_millis(lease_until) })
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u128) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn milliseconds(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

fn seconds(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::replay::{answers, sent};

    fn claim() -> Claim {
        Claim {
            key: "NewDonor#d-17".to_owned(),
            owner: "me".to_owned(),
            lease_until: UNIX_EPOCH + Duration::from_millis(1_700_000_030_500),
            expires_at: UNIX_EPOCH + Duration::from_secs(1_700_003_600),
        }
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn refused(item: &serde_json::Value) -> String {
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed",
            "Item": item,
        })
        .to_string()
    }

    async fn claimed(answer: (u16, &str)) -> Result<ClaimAnswer, StoreError> {
        let (config, _) = answers(&[answer]);
        DynamoDbStore::new(&config, "table".to_owned()).claim(&claim(), now()).await
    }

    #[tokio::test]
    async fn a_claim_is_one_conditional_write_with_the_lease_and_the_expiry() {
        let (config, replay) = answers(&[(200, "{}")]);
        let store = DynamoDbStore::new(&config, "table".to_owned());
        assert_eq!(store.claim(&claim(), now()).await.unwrap(), ClaimAnswer::Granted);
        let requests = sent(&replay);
        assert_eq!(requests.len(), 1);
        assert_eq!(
            requests[0]["Item"],
            json!({
                "idempotency_key": {"S": "NewDonor#d-17"},
                "status": {"S": "in_progress"},
                "owner": {"S": "me"},
                "lease_until_ms": {"N": "1700000030500"},
                "expires_at": {"N": "1700003600"},
            })
        );
        assert_eq!(requests[0]["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        assert_eq!(requests[0]["ExpressionAttributeValues"][":now_ms"], json!({"N": "1700000000000"}));
    }

    #[tokio::test]
    async fn a_refused_claim_says_what_is_in_its_way() {
        let completed = refused(&json!({"owner": {"S": "other"}, "status": {"S": "completed"}}));
        assert_eq!(claimed((400, &completed)).await.unwrap(), ClaimAnswer::Completed);
        let in_progress = refused(&json!({
            "owner": {"S": "other"}, "status": {"S": "in_progress"}, "lease_until_ms": {"N": "1700000009000"},
        }));
        let lease_until = UNIX_EPOCH + Duration::from_secs(1_700_000_009);
        assert_eq!(claimed((400, &in_progress)).await.unwrap(), ClaimAnswer::InProgress { lease_until });
    }

    #[tokio::test]
    async fn a_claim_whose_first_answer_was_lost_is_granted_the_second_time() {
        let own = refused(&json!({"owner": {"S": "me"}, "status": {"S": "in_progress"}, "lease_until_ms": {"N": "1"}}));
        assert_eq!(claimed((400, &own)).await.unwrap(), ClaimAnswer::Granted);
    }

    #[tokio::test]
    async fn a_table_that_is_not_there_is_said_with_the_service_s_words() {
        let missing = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "message": "Requested resource not found",
        });
        let error = claimed((400, &missing.to_string())).await.unwrap_err().to_string();
        assert!(error.contains("Requested resource not found"), "{error}");
    }

    #[tokio::test]
    async fn completion_and_release_are_conditional_on_the_owner_and_say_when_it_changed() {
        let refusal = refused(&json!({}));
        let (config, replay) = answers(&[(200, "{}"), (400, &refusal), (200, "{}"), (400, &refusal)]);
        let store = DynamoDbStore::new(&config, "table".to_owned());
        assert_eq!(store.complete(&claim()).await.unwrap(), Ownership::Held);
        assert_eq!(store.complete(&claim()).await.unwrap(), Ownership::Lost);
        assert_eq!(store.release(&claim()).await.unwrap(), Ownership::Held);
        assert_eq!(store.release(&claim()).await.unwrap(), Ownership::Lost);
        for request in sent(&replay) {
            assert!(request["ConditionExpression"].as_str().unwrap().contains("#owner = :owner"), "{request}");
            assert_eq!(request["ExpressionAttributeValues"][":owner"], json!({"S": "me"}));
        }
    }
}
