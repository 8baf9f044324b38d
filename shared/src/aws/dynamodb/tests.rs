use serde_json::json;

use super::*;
use crate::aws::replay::{answers, sent};

fn claim() -> Claim {
    Claim {
        key: "NewDonor#d-17".to_owned(),
        owner: "me".to_owned(),
        lease_until: UNIX_EPOCH + Duration::from_millis(1_700_000_030_500),
        expires_at: UNIX_EPOCH + Duration::from_secs(1_700_003_600),
        payload_hash: None,
        stale_before: None,
        answer: None,
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
    assert_eq!(store.claim(&claim(), now()).await.unwrap(), ClaimAnswer::Granted { after_lapsed_lease: false });
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
    assert_eq!(claimed((400, &completed)).await.unwrap(), ClaimAnswer::Completed { payload_hash: None, answer: None });
    let in_progress = refused(&json!({
        "owner": {"S": "other"}, "status": {"S": "in_progress"}, "lease_until_ms": {"N": "1700000009000"},
    }));
    let lease_until = UNIX_EPOCH + Duration::from_secs(1_700_000_009);
    assert_eq!(claimed((400, &in_progress)).await.unwrap(), ClaimAnswer::InProgress { lease_until });
}

#[tokio::test]
async fn a_claim_whose_first_answer_was_lost_is_granted_the_second_time() {
    let own = refused(&json!({"owner": {"S": "me"}, "status": {"S": "in_progress"}, "lease_until_ms": {"N": "1"}}));
    assert_eq!(claimed((400, &own)).await.unwrap(), ClaimAnswer::Granted { after_lapsed_lease: false });
}

#[tokio::test]
async fn a_claim_over_a_lapsed_lease_is_granted_and_says_so() {
    let item = |status: &str, expires: &str| {
        json!({"Attributes": {"owner": {"S": "other"}, "status": {"S": status}, "expires_at": {"N": expires}}})
            .to_string()
    };
    let granted = async |answer: String| claimed((200, &answer)).await.unwrap();
    let suspect = granted(item("in_progress", "1700000001")).await;
    assert_eq!(suspect, ClaimAnswer::Granted { after_lapsed_lease: true });
    for old in [item("in_progress", "1699999999"), item("completed", "1700000001"), "{}".to_owned()] {
        assert_eq!(granted(old).await, ClaimAnswer::Granted { after_lapsed_lease: false });
    }
}

#[tokio::test]
async fn an_answer_is_kept_with_the_completion_and_given_to_a_duplicate() {
    let (config, replay) = answers(&[(200, "{}")]);
    let done = Claim { answer: Some("17".to_owned()), ..claim() };
    DynamoDbStore::new(&config, "table".to_owned()).complete(&done, now()).await.unwrap();
    let request = &sent(&replay)[0];
    assert_eq!(request["ExpressionAttributeValues"][":answer"], json!({"S": "17"}));
    assert!(request["UpdateExpression"].as_str().unwrap().contains("#answer = :answer"));
    let completed = refused(&json!({"owner": {"S": "other"}, "status": {"S": "completed"}, "answer": {"S": "17"}}));
    let answer = Some("17".to_owned());
    assert_eq!(claimed((400, &completed)).await.unwrap(), ClaimAnswer::Completed { payload_hash: None, answer });
}

#[tokio::test]
async fn a_key_longer_than_the_table_takes_is_hashed() {
    let (config, replay) = answers(&[(200, "{}")]);
    let long = Claim { key: "x".repeat(MAX_KEY_BYTES + 1), ..claim() };
    DynamoDbStore::new(&config, "table".to_owned()).claim(&long, now()).await.unwrap();
    assert!(sent(&replay)[0]["Item"]["idempotency_key"]["S"].as_str().unwrap().len() <= MAX_KEY_BYTES);
}

#[tokio::test]
async fn a_try_is_added_to_a_set_and_what_is_taken_back_does_not_count() {
    let attempt = Attempt {
        key: "worker/m-1".to_owned(),
        token: "t".to_owned(),
        at: now(),
        expires_at: UNIX_EPOCH + Duration::from_secs(1_700_003_600),
    };
    let counted = json!({"Attributes": {
        "tries": {"SS": ["1699998000000-a", "1699999000000-b", "1700000000000-t"]},
        "taken_back": {"SS": ["1699998000000-a"]},
    }});
    let (config, replay) = answers(&[(200, &counted.to_string()), (200, "{}")]);
    let store = DynamoDbStore::new(&config, "table".to_owned());
    let tries = Tries { count: 2, first_at: UNIX_EPOCH + Duration::from_secs(1_699_999_000) };
    assert_eq!(store.count_try(&attempt).await.unwrap(), tries);
    store.take_back(&attempt).await.unwrap();
    let requests = sent(&replay);
    assert_eq!(requests[0]["UpdateExpression"], "ADD #tries :mark SET #expires = :expires");
    assert_eq!(requests[1]["UpdateExpression"], "ADD #taken_back :mark SET #expires = :expires");
    for request in requests {
        assert_eq!(request["ExpressionAttributeValues"][":mark"], json!({"SS": ["1700000000000-t"]}));
    }
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
    let (config, replay) =
        answers(&[(200, "{}"), (400, &refusal), (200, "{}"), (400, &refusal), (200, "{}"), (400, &refusal)]);
    let store = DynamoDbStore::new(&config, "table".to_owned());
    assert_eq!(store.complete(&claim(), now()).await.unwrap(), Ownership::Held);
    assert_eq!(store.complete(&claim(), now()).await.unwrap(), Ownership::Lost);
    assert_eq!(store.release(&claim()).await.unwrap(), Ownership::Held);
    assert_eq!(store.release(&claim()).await.unwrap(), Ownership::Lost);
    assert_eq!(store.set_lease(&claim(), now()).await.unwrap(), Ownership::Held);
    assert_eq!(store.set_lease(&claim(), now()).await.unwrap(), Ownership::Lost);
    for request in sent(&replay) {
        assert!(request["ConditionExpression"].as_str().unwrap().contains("#owner = :owner"), "{request}");
        assert_eq!(request["ExpressionAttributeValues"][":owner"], json!({"S": "me"}));
    }
}
