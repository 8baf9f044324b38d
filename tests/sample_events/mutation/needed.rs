//! What a record needs, as DESIGN §5 lists it.

use super::{Function, path::Path};

/// What a path is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nobody needs it.
    Free,
    /// Nobody needs it, and where it is a text the log shows it.
    Shown,
    /// The record cannot be read without it; it is named by this word.
    Needed {
        /// The word.
        field: &'static str,
    },
    /// It says what the record is, or what is to become of it: another value is another record.
    Decides,
}

impl Role {
    /// Whether a text may be in the log: where a text belongs.
    pub(super) fn may_show(self, is_text: bool) -> bool {
        match self {
            Self::Free => false,
            Self::Shown => true,
            Self::Needed { .. } | Self::Decides => is_text,
        }
    }
}

/// By the end of the path: what is needed, wherever it stands.
const NEEDED: &[(&str, &str)] = &[
    ("messageId", "messageId"),
    ("body", "body"),
    ("MessageId", "MessageId"),
    ("ReceiptHandle", "ReceiptHandle"),
    ("Body", "Body"),
    ("queueUrl", "queueUrl"),
    ("Sns/Message", "Message"),
    ("s3/bucket/name", "bucket.name"),
    ("s3/object/key", "object.key"),
    ("detail/bucket/name", "bucket.name"),
    ("detail/object/key", "object.key"),
    ("kinesis/data", "data"),
    ("data", "data"),
    ("recordId", "recordId"),
];

/// Names, and texts that a log line is there to show.
const SHOWN: &[&str] = &[
    "eventName",
    "detail-type",
    "versionId",
    "version-id",
    "partitionKey",
    "sequenceNumber",
    "eventID",
    "physicalName",
    "messageID",
    "correlationID",
    "correlationId",
    "contentType",
    "eventSourceARN",
    "eventSourceArn",
    "deliveryStreamArn",
    "sourceKinesisStreamArn",
    "AWSTraceHeader",
    "MessageGroupId",
    "Bucket",
    "Subject",
    "TopicArn",
    "Sns/MessageId",
    "basicProperties/messageId",
    "id",
];

pub(super) fn role(function: Function, sample: &str, path: &Path) -> Role {
    let pattern = path.pattern();
    let ends = |end: &str| pattern == end || pattern.ends_with(&format!("/{end}"));
    let contains = |part: &str| pattern.split('/').any(|step| step == part);
    // Everything on the way to what is needed is that, too.
    if is_way(function, &pattern) || decides(function, sample, &pattern) {
        return Role::Decides;
    }
    // Properties, headers and attributes are shown whatever they are.
    if contains("properties") || contains("headers") || contains("MessageAttributes") || contains("messageAttributes") {
        return Role::Shown;
    }
    let is_envelopes = function != Function::SnsLogger && ends("Sns/MessageId");
    let is_idle = pattern.starts_with("records/*/kinesisRecordMetadata") || is_envelopes;
    if let Some((_, field)) = NEEDED.iter().find(|(end, _)| ends(end)).filter(|_| !is_idle && !is_of_another(&pattern))
    {
        return Role::Needed { field };
    }
    if SHOWN.iter().any(|end| ends(end)) { Role::Shown } else { Role::Free }
}

/// An id of SNS has the name of the API's id of a message.
fn is_of_another(pattern: &str) -> bool {
    (pattern.ends_with("MessageId") && !pattern.starts_with("messages/") && !pattern.starts_with("message/"))
        || pattern.ends_with("basicProperties/messageId")
}

/// Objects, lists and texts around what is needed.
fn is_way(function: Function, pattern: &str) -> bool {
    const WAYS: &[&str] = &[
        "Records",
        "Records/*",
        "messages",
        "messages/*",
        "message",
        "records",
        "records/*",
        "Sns",
        "kinesis",
        "s3",
        "s3/bucket",
        "s3/object",
        "detail",
        "detail/bucket",
        "detail/object",
        "rmqMessagesByQueue",
    ];
    let ends = |end: &str| pattern == end || pattern.ends_with(&format!("/{end}"));
    let is_queue = function == Function::MqLogger
        && pattern.starts_with("rmqMessagesByQueue/")
        && pattern.matches('/').count() <= 2;
    is_queue || pattern == "*" || WAYS.iter().any(|way| ends(way))
}

/// What says which job a message asks for, what an envelope is, and what the fakes of this test cannot stand for.
fn decides(function: Function, sample: &str, pattern: &str) -> bool {
    let ends = |end: &str| pattern == end || pattern.ends_with(&format!("/{end}"));
    let is_inside = pattern.contains("/@/");
    // The envelope's shape, the job's own fields, S3's set-up message.
    let is_shape = is_inside
        && ["Type", "TopicArn", "Message", "Event", "name", "drill", "until_receive", "records"]
            .iter()
            .any(|end| ends(end));
    // In a drill, a donor or somebody's own JSON the job is known by what stands there.
    let is_attribute = pattern.contains("messageAttributes")
        && (ends("JobType") || ends("messageAttributes") || pattern.contains("JobType/"));
    let is_attribute = is_attribute && ["sqs/batch-with-bad-records", "dispatch/messages"].contains(&sample);
    // FIFO's group is its order; in these samples something fails, and the group says what is held back.
    let is_group = sample.contains("fifo") && (ends("MessageGroupId") || ends("attributes") || ends("Attributes"));
    // Two records with one id, one message twice: the other is then another.
    let is_twice = sample == "dispatch/same-message-twice";
    // The fake of S3 gives one small picture for every object: by its size it cannot be too large.
    let is_size = function == Function::Thumbnailer && ends("size");
    // Which queue it is says where its dead letters go.
    let is_queue = ends("eventSourceARN") && function_has_letters(function);
    // The top of S3's set-up message, and of an event on the bus.
    let is_top = ["Event", "source", "detail-type"].contains(&pattern) && sample.contains("test-event");
    // Without a detail-type it is the source that says it is S3's.
    let is_top = is_top || sample.contains("without-detail-type") && ends("source");
    is_shape || is_attribute || is_group || is_twice || is_size || is_queue || is_top
}

fn function_has_letters(function: Function) -> bool {
    matches!(function, Function::Worker | Function::Thumbnailer)
}
