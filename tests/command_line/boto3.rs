//! Messages of another SDK, both ways: attributes and digests intact.

use std::path::PathBuf;

use serde_json::Value;

use super::sluice::{Outcome, Sluice};
use crate::stack::repository;

/// Runs Python with boto3; `queue` is the queue's URL.
fn boto3(sluice: &Sluice, url: &str, script: &str) -> String {
    let python: PathBuf = repository().join(".local/tools/ministack/bin/python");
    let prelude = format!("import boto3, json\nsqs = boto3.client('sqs', region_name='us-east-1')\nurl = {url:?}\n");
    let child = sluice.command(&python).args(["-c", &(prelude + script)]).spawn().unwrap();
    let outcome = Outcome::of(child);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stdout
}

#[test]
fn boto3_reads_what_sluice_sent() {
    let sluice = Sluice::on_the_stack();
    let url = sluice.done(&["queue", "create", &super::sluice::new_name("to-boto3")]).trim_end().to_owned();
    let body = "{\"name\": \"Ada \u{1F600}\",\n \"n\": 1.0}";
    let attributes = ["-a", "JobType=NewDonor", "-a", "Count:Number=5", "-a", "Photo:Binary.png=AAEC"];
    let id = sluice.done(&[&["send", &url, "--body", body], &attributes[..]].concat());
    // boto3 checks the MD5 of each body it receives.
    let message: Value = serde_json::from_str(&boto3(
        &sluice,
        &url,
        "m = sqs.receive_message(QueueUrl=url, MessageAttributeNames=['All'])['Messages'][0]\n\
         a = m['MessageAttributes']\n\
         print(json.dumps([m['MessageId'], m['Body'], a['JobType'], a['Count'], a['Photo']['DataType'], \
         list(a['Photo']['BinaryValue'])]))",
    ))
    .unwrap();
    assert_eq!(message[0], id.trim_end());
    assert_eq!(message[1], body);
    assert_eq!(message[2]["StringValue"], "NewDonor");
    assert_eq!([&message[3]["DataType"], &message[3]["StringValue"]], ["Number", "5"]);
    assert_eq!(message[4], "Binary.png");
    assert_eq!(message[5], serde_json::json!([0, 1, 2]));
}

#[test]
fn sluice_reads_what_boto3_sent() {
    let sluice = Sluice::on_the_stack();
    let url = sluice.done(&["queue", "create", &super::sluice::new_name("from-boto3")]).trim_end().to_owned();
    let id = boto3(
        &sluice,
        &url,
        "r = sqs.send_message(QueueUrl=url, MessageBody='tab\\there', MessageAttributes={\n\
         'JobType': {'DataType': 'String.label', 'StringValue': 'NewDonor'},\n\
         'Photo': {'DataType': 'Binary', 'BinaryValue': bytes([0, 255])}})\n\
         print(r['MessageId'])",
    );
    let json = sluice.done(&["receive", &url, "--delete", "--output", "json"]);
    let message: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(message["messageId"], id.trim_end());
    assert_eq!(message["body"], "tab\there");
    assert_eq!(message["attributes"]["JobType"]["dataType"], "String.label");
    assert_eq!(message["attributes"]["Photo"]["binaryValue"], "AP8=");
}
