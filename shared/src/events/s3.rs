//! What happened to an object in a bucket, whether S3 or EventBridge says so.

use std::fmt;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    error::{EventError, required},
    object_key,
    route::{Hop, Route},
};

/// One change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// What happened, as AWS names it.
    pub name: EventName,
    /// The bucket's name.
    pub bucket: String,
    /// The object's name, decoded.
    pub key: String,
    /// Bytes. `None` for removals, where AWS sends none.
    pub size_bytes: Option<u64>,
    /// `None` in a bucket without versions.
    pub version_id: Option<String>,
    /// `None` for removals.
    pub e_tag: Option<String>,
    /// Orders the events of one key: compare as hexadecimal text of equal length, the shorter one padded on the right.
    pub sequencer: Option<String>,
    /// When S3 finished the request.
    pub occurred_at: DateTime<Utc>,
    /// The way it came.
    pub route: Route,
}

impl ObjectEvent {
    /// What kind of change this is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.name.kind()
    }

    /// Whether the object only stands for a folder, as the S3 console makes them: a name ending in `/`, no bytes.
    #[must_use]
    pub fn is_folder_marker(&self) -> bool {
        self.key.ends_with('/') && self.size_bytes.unwrap_or(0) == 0
    }

    /// Reads one record of an S3 notification. The key is form-encoded there and is decoded here.
    pub(crate) fn from_notification(record: Notified, route: Route) -> Result<Self, EventError> {
        const RECORD: &str = "S3 record";
        let object = record.s3.object;
        let encoded_key = required(object.key, RECORD, "s3.object.key")?;
        Ok(Self {
            name: EventName(required(record.event_name, RECORD, "eventName")?),
            bucket: required(record.s3.bucket.name, RECORD, "s3.bucket.name")?,
            key: object_key::decode(&encoded_key)?,
            size_bytes: object.size.and_then(|size| u64::try_from(size).ok()),
            version_id: present(object.version_id),
            e_tag: present(object.e_tag),
            sequencer: present(object.sequencer),
            occurred_at: record.event_time,
            route,
        })
    }

    /// Reads the event S3 puts on the default bus. The key is sent as it is and stays so.
    pub(crate) fn from_event_bridge(event: EventBridgeEvent, route: Route) -> Result<Self, EventError> {
        const EVENT: &str = "EventBridge event of S3";
        let detail: Detail = serde_json::from_value(event.detail).map_err(EventError::malformed(EVENT))?;
        Ok(Self {
            name: EventName(event.detail_type),
            bucket: required(detail.bucket.name, EVENT, "detail.bucket.name")?,
            key: required(detail.object.key, EVENT, "detail.object.key")?,
            size_bytes: detail.object.size,
            version_id: present(detail.object.version_id),
            e_tag: present(detail.object.etag),
            sequencer: present(detail.object.sequencer),
            occurred_at: event.time.ok_or_else(|| EventError::missing(EVENT, "time"))?,
            route: route.starting_with(Hop::EventBridge),
        })
    }
}

fn present(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// One record of an S3 notification, as far as it says what happened to which object, see
/// [the structure](https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). The wire
/// type of `aws_lambda_events` keeps all of it, some twenty strings a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notified {
    event_name: Option<String>,
    event_time: DateTime<Utc>,
    s3: NotifiedEntity,
}

#[derive(Deserialize)]
struct NotifiedEntity {
    bucket: NotifiedBucket,
    object: NotifiedObject,
}

#[derive(Deserialize)]
struct NotifiedBucket {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotifiedObject {
    key: Option<String>,
    size: Option<i64>,
    e_tag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

/// `detail` of S3's events, see
/// [the structure](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html).
#[derive(Deserialize)]
struct Detail {
    bucket: DetailBucket,
    object: DetailObject,
}

#[derive(Deserialize)]
struct DetailBucket {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DetailObject {
    key: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

/// What happened, in AWS's words: `ObjectCreated:Put` in a notification, `Object Created` on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName(String);

impl EventName {
    /// The name as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind behind the name; [`EventKind::Other`] for names not known here.
    ///
    /// Names: [notifications](https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html),
    /// [EventBridge](https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html).
    #[must_use]
    pub fn kind(&self) -> EventKind {
        let name = self.0.strip_prefix("s3:").unwrap_or(&self.0);
        match name.split_once(':').map_or(name, |(kind, _)| kind) {
            "ObjectCreated" | "Object Created" => EventKind::ObjectCreated,
            "ObjectRemoved" | "Object Deleted" | "LifecycleExpiration" => EventKind::ObjectRemoved,
            "ObjectRestore" | "Object Restore Initiated" | "Object Restore Completed" | "Object Restore Expired" => {
                EventKind::ObjectRestore
            }
            "ObjectTagging" | "Object Tags Added" | "Object Tags Deleted" => EventKind::ObjectTagging,
            "ObjectAcl" | "Object ACL Updated" => EventKind::ObjectAcl,
            "LifecycleTransition"
            | "IntelligentTiering"
            | "Object Storage Class Changed"
            | "Object Access Tier Changed" => EventKind::ObjectMoved,
            "Replication" => EventKind::Replication,
            "ReducedRedundancyLostObject" => EventKind::ObjectLost,
            _ => EventKind::Other,
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The families of S3 events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// Put, post, copy or multipart upload.
    ObjectCreated,
    /// Deleted, marked as deleted, or expired by a lifecycle rule.
    ObjectRemoved,
    /// A restore from an archive class began, ended or ran out.
    ObjectRestore,
    /// Tags were put or removed.
    ObjectTagging,
    /// An access control list was changed.
    ObjectAcl,
    /// Another storage class or access tier.
    ObjectMoved,
    /// Replication failed, missed its threshold or is no longer tracked.
    Replication,
    /// A reduced-redundancy object was lost.
    ObjectLost,
    /// A name not known here: it passes through as it is.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_vocabularies_name_the_same_kinds() {
        for (name, kind) in [
            ("ObjectCreated:Put", EventKind::ObjectCreated),
            ("s3:ObjectCreated:CompleteMultipartUpload", EventKind::ObjectCreated),
            ("Object Created", EventKind::ObjectCreated),
            ("ObjectRemoved:DeleteMarkerCreated", EventKind::ObjectRemoved),
            ("LifecycleExpiration:Delete", EventKind::ObjectRemoved),
            ("Object Deleted", EventKind::ObjectRemoved),
            ("ObjectRestore:Post", EventKind::ObjectRestore),
            ("ObjectInvented:Tomorrow", EventKind::Other),
            ("", EventKind::Other),
        ] {
            assert_eq!(EventName(name.to_owned()).kind(), kind, "{name}");
        }
    }
}
