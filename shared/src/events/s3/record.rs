//! What happened to an object in a bucket, whether S3 or EventBridge says so.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::events::route::Route;

/// One change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// When S3 finished the request; `None` where the event leaves it out.
    pub occurred_at: Option<DateTime<Utc>>,
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

    /// Whether the object may be new: it was created, or the event does not say what happened to it.
    #[must_use]
    pub fn may_be_new(&self) -> bool {
        matches!(self.kind(), EventKind::ObjectCreated | EventKind::Unnamed)
    }
}

/// Stands for the name of an event that has none.
const UNNAMED: &str = "object event";

/// What happened, in AWS's words: `ObjectCreated:Put` in a notification, `Object Created` on the bus; `object event` where
/// the event does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName(String);

impl EventName {
    pub(crate) fn of(name: Option<impl Into<String>>) -> Self {
        Self(name.map_or_else(|| UNNAMED.to_owned(), Into::into))
    }

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
            UNNAMED => EventKind::Unnamed,
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
    /// The event does not say what happened.
    Unnamed,
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
            ("object event", EventKind::Unnamed),
        ] {
            assert_eq!(EventName(name.to_owned()).kind(), kind, "{name}");
        }
    }
}
