use serde_json::{Value, json};
use sluicegate::events::read_batch;

use super::*;

/// A record with this body, and perhaps with the attribute that names its job.
fn record(job_type: Option<&str>, body: &str) -> Record {
    let mut attributes = json!({});
    if let Some(job_type) = job_type {
        attributes["JobType"] = json!({"dataType": "String", "stringValue": job_type});
    }
    let record = json!({"messageId": "m", "receiptHandle": "h", "body": body, "messageAttributes": attributes,
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs"});
    read_batch(&json!([record]).to_string()).unwrap().unwrap().records.remove(0).unwrap()
}

fn name_of(job_type: Option<&str>, body: &str) -> String {
    match read(&record(job_type, body)) {
        Ok(job) => job.name().to_owned(),
        Err(error) => error.to_string(),
    }
}

fn effect_of(body: &str) -> Option<Effect> {
    read(&record(None, body)).unwrap().effect()
}

fn id_of(body: &Value) -> Option<Effect> {
    effect_of(&body.to_string())
}

const S3: &str = r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#;

fn envelope(message: &str, attributes: &Value) -> String {
    json!({"Type": "Notification", "TopicArn": "t", "Message": message, "MessageAttributes": attributes}).to_string()
}

#[test]
fn a_job_is_known_by_its_attribute_or_by_its_shape() {
    for (job_type, body, name) in [
        (Some("NewDonor"), r#"{"name":"Ada"}"#, "NewDonor"),
        (None, "\u{feff}{\"name\":\"Ada\"}", "NewDonor"),
        (None, S3, "ObjectCreated"),
        (None, r#"{"Records":[]}"#, "ObjectCreated"),
        (None, r#"{"Records":null}"#, "ObjectCreated"),
        (None, r#"{"Event":"s3:TestEvent","Bucket":"b"}"#, "ObjectCreated"),
        (None, r#"{"source":"aws.s3","detail":{"bucket":{"name":"b"},"object":{"key":"k"}}}"#, "ObjectCreated"),
        (None, r#"{"drill":"fail"}"#, "Drill"),
    ] {
        assert_eq!(name_of(job_type, body), name, "{body}");
    }
}

#[test]
fn a_job_inside_an_envelope_is_read_as_any_other() {
    let named = json!({"JobType": {"Type": "String", "Value": "NewDonor"}});
    assert_eq!(name_of(None, &envelope(r#"{"name":"Ada"}"#, &named)), "NewDonor");
    assert_eq!(name_of(None, &envelope(r#"{"name":"Ada"}"#, &json!(null))), "NewDonor");
    assert_eq!(name_of(None, &envelope(S3, &json!({}))), "ObjectCreated");
    assert_eq!(name_of(None, &envelope(&envelope(S3, &json!(null)), &json!([1]))), "ObjectCreated");
    let problem = name_of(None, &envelope("secret", &named));
    assert_eq!(problem, "not a valid job: expected value at line 1 column 1");
}

#[test]
fn what_asks_for_nothing_is_refused_for_what_it_is() {
    for (job_type, body, problem) in [
        (None, "secret", "not a valid job: expected value at line 1 column 1"),
        (None, "[[], 1, 2, 3, 4]", "not a valid job: a list, not an object"),
        (None, "\"{}\"", "not a valid job: a text, not an object"),
        (None, "{}", "no JobType attribute, and the body has the shape of no job (NewDonor, ObjectCreated, Drill)"),
        (
            Some("secret"),
            "{}",
            "the attribute JobType names no job of this function; known: NewDonor, ObjectCreated, Drill",
        ),
        (Some("NewDonor"), r#"{"name":7}"#, "name of the donor is a number, not a text"),
        (Some("NewDonor"), r#"{"name":" "}"#, "donor has no name"),
        (Some("NewDonor"), "{}", "donor has no name"),
        (None, r#"{"name":"Pear \ud83d"}"#, "name of the donor is not Unicode: it holds half of a character"),
        (None, r#"{"drill":"secret"}"#, "the drill is none of panic, fail, reject, sleep, succeed"),
        (
            Some("ObjectCreated"),
            r#"{"a":"secret"}"#,
            "not a shape this function knows: expected an S3 notification or an S3 event of EventBridge, perhaps inside SNS or SQS",
        ),
        (
            None,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"big","s3Key":"0a"}]"#,
            "the payload is in S3 (bucket big, key 0a), and this function does not fetch it",
        ),
        (None, "H4sIAAAAAAAA", "gzip, as CloudWatch Logs sends it: this function does not decompress it"),
    ] {
        assert_eq!(name_of(job_type, body), problem, "{body}");
    }
    let confirmation = r#"{"Type":"SubscriptionConfirmation","TopicArn":"arn:t","Message":"m","Token":"secret"}"#;
    let problem = name_of(None, confirmation);
    assert!(problem.contains("confirmation") && problem.contains("arn:t") && !problem.contains("secret"), "{problem}");
}

#[test]
fn a_member_that_no_job_reads_harms_nobody() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for other in ["1E400", r#""\ud83d""#, deep.as_str()] {
        assert_eq!(name_of(None, &format!(r#"{{"x":{other},"name":"Ada","id":{other}}}"#)), "NewDonor");
        assert_eq!(
            name_of(None, &format!(r#"{{"drill":"succeed","sleep_ms":{other},"until_receive":{other}}}"#)),
            "Drill"
        );
    }
}

#[test]
fn an_id_is_a_text_that_is_not_blank_or_a_whole_number() {
    let donor = |id: Value| json!({"name": " Ada ", "id": id});
    let of = |id: &str| Effect::of_id("NewDonor", id).map(|effect| effect.of_payload("Ada"));
    assert_eq!(id_of(&donor(json!("d-17"))), of("d-17"));
    assert_eq!(id_of(&donor(json!(2_441_428_491_u64))), of("2441428491"));
    for id in [json!(null), json!(""), json!("  "), json!(1.5), json!(true), json!([1]), json!({})] {
        assert_eq!(id_of(&donor(id.clone())), None, "{id}");
    }
    let long = json!({"name": "Ada", "id": "X"}).to_string().replace(r#""X""#, "123456789012345678901234567890");
    assert_eq!(effect_of(&long), of("123456789012345678901234567890"), "every digit counts");
}

#[test]
fn an_objects_effect_is_known_by_the_object() {
    let with_sequencer = |key: &str| S3.replace(r#""k""#, &format!(r#""{key}","sequencer":"01""#));
    let effect = effect_of(&with_sequencer("k"));
    assert!(effect.is_some() && effect == effect_of(&with_sequencer("k")) && effect != effect_of(&with_sequencer("l")));
    assert_eq!(effect_of(S3), None, "nothing tells this event from another of the same object");
    let two = S3.replace("]}", r#",{"s3":{"bucket":{"name":"b"},"object":{"key":"l"}}}]}"#);
    assert_eq!(effect_of(&two), None);
}
