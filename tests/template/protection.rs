//! Who gets in: encryption at rest, TLS on the way, and no service for anybody else's account.

use serde_yaml_ng::Value;

use super::{Document, everything, logical_id};

/// What holds data, and the property that names its key.
const ENCRYPTED_BY_KEY: [(&str, &[&str]); 7] = [
    ("AWS::SNS::Topic", &["KmsMasterKeyId"]),
    ("AWS::SQS::Queue", &["KmsMasterKeyId"]),
    ("AWS::DynamoDB::Table", &["SSESpecification", "KMSMasterKeyId"]),
    ("AWS::Logs::LogGroup", &["KmsKeyId"]),
    ("AWS::Kinesis::Stream", &["StreamEncryption", "KeyId"]),
    ("AWS::KinesisFirehose::DeliveryStream", &["DeliveryStreamEncryptionConfigurationInput", "KeyARN"]),
    ("AWS::S3::Bucket", &["KMSMasterKeyID"]),
];

const MANAGED: [(&str, &str); 2] = [("EnableStreams", "true"), ("Encryption", "managed")];

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(*name))
}

fn bucket_encryption(bucket: &Value) -> &Value {
    &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
}

/// The statements of every policy that says who may use a resource.
fn resource_statements(document: &Document) -> Vec<(String, Value)> {
    let kinds = ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"];
    let policies = kinds.iter().flat_map(|kind| document.resources(kind));
    let of_policy = |id: String, policy: &Value| {
        let statements = policy["Statement"].as_sequence().unwrap().clone();
        statements.into_iter().map(move |statement| (id.clone(), statement)).collect::<Vec<_>>()
    };
    let key = document.resource("EncryptionKey");
    let trusts = document.resources("AWS::IAM::Role").into_iter();
    policies
        .flat_map(|policy| of_policy(policy.id, &policy.properties["PolicyDocument"]))
        .chain(of_policy(key.id, &key.properties["KeyPolicy"]))
        .chain(trusts.flat_map(|role| of_policy(role.id, &role.properties["AssumeRolePolicyDocument"])))
        .collect()
}

#[test]
fn with_the_key_all_that_keeps_anything_is_encrypted_by_it() {
    // A stream as Firehose's source has an encryption of its own, so records are put to it directly here.
    let direct: Vec<_> = super::EVERYTHING.into_iter().filter(|(name, _)| *name != "DeliverySource").collect();
    let document = Document::with(&direct);
    for (kind, path) in ENCRYPTED_BY_KEY {
        for resource in document.resources(kind) {
            let of_bucket = kind == "AWS::S3::Bucket";
            let holder = if of_bucket { bucket_encryption(&resource.properties) } else { &resource.properties };
            let key = at(holder, path).unwrap_or_else(|| panic!("{} has no key", resource.id));
            assert_eq!(logical_id(key), "EncryptionKey", "{}", resource.id);
            // SQS takes one of them, and leaves on what nobody turns off.
            let is_queue = kind == "AWS::SQS::Queue";
            assert!(!is_queue || resource.properties["SqsManagedSseEnabled"] == false, "{}", resource.id);
        }
    }
    assert_eq!(logical_id(&document.globals()["KmsKeyArn"]), "EncryptionKey");
}

#[test]
fn without_it_all_but_topics_is_encrypted_by_aws() {
    let document = Document::with(&MANAGED);
    for queue in document.queues() {
        assert_eq!(queue.properties["SqsManagedSseEnabled"], true, "{}", queue.id);
        assert!(queue.properties.get("KmsMasterKeyId").is_none(), "{}", queue.id);
    }
    for bucket in document.resources("AWS::S3::Bucket") {
        assert_eq!(bucket_encryption(&bucket.properties)["SSEAlgorithm"], "AES256", "{}", bucket.id);
    }
    for table in document.resources("AWS::DynamoDB::Table") {
        assert_eq!(table.properties["SSESpecification"]["SSEEnabled"], true, "{}", table.id);
    }
    assert_eq!(document.resource("Stream").properties["StreamEncryption"]["EncryptionType"], "KMS");
    let delivery = document.resource("DeliveryStream").properties;
    assert_eq!(delivery["DeliveryStreamEncryptionConfigurationInput"]["KeyType"], "AWS_OWNED_CMK");
}

#[test]
fn no_topic_has_the_key_that_would_keep_s3_and_alarms_out() {
    for topic in Document::with(&MANAGED).resources("AWS::SNS::Topic") {
        assert!(topic.properties.get("KmsMasterKeyId").is_none(), "{}", topic.id);
    }
}

#[test]
fn the_key_turns_over_and_it_and_every_bucket_outlive_the_stack_but_not_a_create_that_failed() {
    let written = Document::by_default();
    for id in ["EncryptionKey", "UploadBucket", "ThumbnailBucket", "DeliveryBucket"] {
        let resource = &written.written("Resources")[id];
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{id}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
    }
    assert_eq!(written.written("Resources")["EncryptionKey"]["Properties"]["EnableKeyRotation"], true);
}

#[test]
fn who_leaves_the_key_goes_on_reading_by_it() {
    let leaving: Vec<_> = super::EVERYTHING
        .into_iter()
        .map(|(name, value)| (name, if name == "Encryption" { "leaving-key" } else { value }))
        .collect();
    let (leaving, key) = (Document::with(&leaving), everything());
    // Nothing new is encrypted by it.
    for queue in leaving.queues() {
        assert_eq!(queue.properties["SqsManagedSseEnabled"], true, "{}", queue.id);
        assert!(queue.properties.get("KmsMasterKeyId").is_none(), "{}", queue.id);
    }
    for id in ["EncryptionKey", "FunctionPolicy", "PollerScheduleRole", "DeliveryStreamPolicy"] {
        assert_eq!(leaving.resource(id).properties, key.resource(id).properties, "{id}");
    }
}

#[test]
fn the_key_lets_in_every_service_that_passes_messages_on() {
    let document = everything();
    let key = document.resource("EncryptionKey").properties;
    let services: Vec<String> = key["KeyPolicy"]["Statement"]
        .as_sequence()
        .unwrap()
        .iter()
        .filter_map(|statement| statement["Principal"].get("Service"))
        .flat_map(|service| service.as_sequence().cloned().unwrap_or_else(|| vec![service.clone()]))
        .map(|service| super::text(&service).to_owned())
        .collect();
    // Whoever a queue or a topic lets in must be able to encrypt what it leaves there.
    for (policy, statement) in resource_statements(&document) {
        let is_message = statement["Action"] == "sqs:SendMessage" || statement["Action"] == "sns:Publish";
        if let Some(service) = statement["Principal"].get("Service").filter(|_| is_message) {
            assert!(services.iter().any(|known| service == known.as_str()), "{policy}: {service:?}");
        }
    }
    assert!(services.contains(&"logs.${AWS::Region}.amazonaws.com".to_owned()));
}

#[test]
fn every_role_may_use_the_key() {
    let document = everything();
    for role in document.resources("AWS::IAM::Role") {
        let allowed = super::permissions::statements(&document);
        let mut of_role = allowed.iter().filter(|(of, _)| super::permissions::is_of(&document, &role, of));
        assert!(of_role.any(|(_, statement)| statement["Sid"] == "ReadAndWriteEncrypted"), "{}", role.id);
    }
}

#[test]
fn who_uses_an_encrypted_table_may_make_every_call_that_aws_s_pages_name_and_only_through_it() {
    let policy = everything().resource("FunctionPolicy").properties;
    let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap().clone();
    let calls = ["kms:Encrypt", "kms:DescribeKey"];
    let of_table = statements.iter().find(|one| one["Action"][0] == calls[0] && one["Action"][1] == calls[1]).unwrap();
    let through = &of_table["Condition"]["StringEquals"]["kms:ViaService"];
    assert_eq!(super::text(through), "dynamodb.${AWS::Region}.amazonaws.com");
}

#[test]
fn firehose_begins_when_its_role_may_read_and_decrypt() {
    let document = everything();
    let written = &document.written("Resources")["DeliveryStream"];
    assert_eq!(written["DependsOn"], "DeliveryStreamPolicy");
    let statements = super::permissions::statements(&document);
    for sid in ["ReadStream", "ReadAndWriteEncrypted"] {
        assert!(statements.iter().any(|(of, one)| of == "DeliveryStreamPolicy" && one["Sid"] == sid), "{sid}");
    }
}

#[test]
fn the_key_lets_services_in_by_what_sqs_and_sns_themselves_say_to_it() {
    let key = everything().resource("EncryptionKey").properties;
    for statement in key["KeyPolicy"]["Statement"].as_sequence().unwrap() {
        if statement["Principal"].get("Service").is_some() {
            let context = statement["Condition"]["ArnLike"].as_mapping().unwrap().keys().next().unwrap();
            assert!(context.as_str().unwrap().starts_with("kms:EncryptionContext:aws:"), "{statement:?}");
        }
    }
}

#[test]
fn no_service_acts_for_anybody_else_s_account() {
    let document = everything();
    let mut seen = 0;
    for (policy, statement) in resource_statements(&document) {
        let Some(service) = statement["Principal"].get("Service") else { continue };
        // Lambda assumes a role for a function of this account only, and presents no source while it makes one.
        if policy == "EncryptionKey" || (policy.ends_with("Role") && service == "lambda.amazonaws.com") {
            continue;
        }
        let account = &statement["Condition"]["StringEquals"]["aws:SourceAccount"];
        // Only S3's ARNs hold no account. Another service that presented none would be kept out.
        assert_eq!(!account.is_null(), service == "s3.amazonaws.com", "{policy}: {service:?}");
        let names_source = ["ArnEquals", "ArnLike"].iter().any(|operator| {
            at(&statement["Condition"], &[operator, "aws:SourceArn"]).is_some_and(|source| !source.is_null())
        });
        assert!(names_source, "{policy}: {service:?}");
        seen += 1;
    }
    assert!(seen >= 9, "{seen}");
}

#[test]
fn every_permission_to_invoke_names_its_source_and_s3_s_the_account() {
    for permission in everything().resources("AWS::Lambda::Permission") {
        assert!(!permission.properties["SourceArn"].is_null(), "{}", permission.id);
        // EventBridge with an account is said to invoke nothing; its rule's ARN has the account.
        let is_of_s3 = permission.properties["Principal"] == "s3.amazonaws.com";
        assert_eq!(!permission.properties["SourceAccount"].is_null(), is_of_s3, "{}", permission.id);
    }
}

#[test]
fn every_queue_topic_and_bucket_is_reached_over_tls_only() {
    let document = everything();
    let statements = resource_statements(&document);
    for kind in ["AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket"] {
        for resource in document.resources(kind) {
            let policy = format!("{}Policy", resource.id);
            let (_, tls) = statements
                .iter()
                .find(|(of, statement)| *of == policy && statement["Sid"] == "TlsOnly")
                .unwrap_or_else(|| panic!("{} takes plain HTTP", resource.id));
            assert_eq!(tls["Effect"], "Deny", "{policy}");
            assert_eq!(tls["Principal"], "*", "{policy}");
            assert_eq!(tls["Condition"]["Bool"]["aws:SecureTransport"], "false", "{policy}");
            // Topics refuse a denial of what is none of theirs, so it names the one call that carries a message.
            let wanted = match kind {
                "AWS::SQS::Queue" => "sqs:*",
                "AWS::SNS::Topic" => "sns:Publish",
                _ => "s3:*",
            };
            assert_eq!(tls["Action"], wanted, "{policy}");
            let covered = tls["Resource"].as_sequence().map_or(&tls["Resource"], |resources| &resources[0]);
            assert_eq!(logical_id(covered), resource.id, "{policy}");
        }
    }
}

#[test]
fn every_bucket_is_closed_to_the_public_and_forgets_abandoned_uploads() {
    for bucket in everything().resources("AWS::S3::Bucket") {
        let block = &bucket.properties["PublicAccessBlockConfiguration"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            assert_eq!(block[setting], true, "{}: {setting}", bucket.id);
        }
        assert_eq!(bucket.properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
        let rule = &bucket.properties["LifecycleConfiguration"]["Rules"][0];
        assert_eq!(rule["Status"], "Enabled", "{}", bucket.id);
        assert!(!rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"].is_null(), "{}", bucket.id);
    }
}

#[test]
fn other_accounts_get_in_only_where_they_are_named() {
    let by_default = Document::with(&[("EnableStreams", "true"), ("Encryption", "key")]);
    let other = |(policy, statement): &(String, Value)| {
        let principal = statement["Principal"].get("AWS").filter(|_| statement["Effect"] == "Allow")?;
        (statement["Sid"] != "AccountAdministers").then(|| (policy.clone(), logical_id(principal)))
    };
    assert_eq!(resource_statements(&by_default).iter().find_map(other), None);

    let named: Vec<_> = resource_statements(&everything()).iter().filter_map(other).collect();
    let policies = [
        "JobQueuePolicy",
        "PolledQueuePolicy",
        "OrderedQueuePolicy",
        "NotificationTopicPolicy",
        "OrderedTopicPolicy",
        "EncryptionKey",
    ];
    assert_eq!(named.len(), policies.len());
    for policy in policies {
        assert!(named.contains(&(policy.to_owned(), "ProducerAccountIds".to_owned())), "{policy}");
    }
}
