//! Reading an object's event.

use super::{
    object_key,
    record::{EventName, ObjectEvent},
};
use crate::events::{
    error::EventError,
    eventbridge::EventBridge,
    ignored::Ignored,
    json::{Field, fields},
    route::{Hop, Route},
};

const RECORD: &str = "S3 record";
const DETAIL: &str = "detail of S3's EventBridge event";

/// What says which object it was, and what happened to it.
pub(in crate::events) struct Found<'a> {
    pub(in crate::events) bucket: Field<'a>,
    pub(in crate::events) key: Field<'a>,
    pub(in crate::events) size: Field<'a>,
    pub(in crate::events) e_tag: Field<'a>,
    pub(in crate::events) version_id: Field<'a>,
    pub(in crate::events) sequencer: Field<'a>,
}

impl Found<'_> {
    fn object(&self, of: &'static str, ignored: &mut Ignored) -> Result<ObjectEvent, EventError> {
        let mut text = |field: &Field<'_>| field.text(ignored).map(Into::into);
        let (version_id, e_tag, sequencer) = (text(&self.version_id), text(&self.e_tag), text(&self.sequencer));
        Ok(ObjectEvent {
            name: EventName::of(None::<String>),
            bucket: self.bucket.needed(of)?.into_owned(),
            key: self.key.needed(of)?.into_owned(),
            size_bytes: self.size.integer(ignored).and_then(|size| u64::try_from(size).ok()),
            version_id,
            e_tag,
            sequencer,
            occurred_at: None,
            route: Route::default(),
        })
    }
}

/// One record of an S3 notification. The key is form-encoded there and is decoded here.
pub(in crate::events) fn notified(
    found: &Found<'_>,
    (name, time): (&Field<'_>, &Field<'_>),
    route: Route,
    ignored: &mut Ignored,
) -> Result<ObjectEvent, EventError> {
    let object = found.object(RECORD, ignored)?;
    let key = object_key::decode(&object.key)?;
    Ok(ObjectEvent { name: EventName::of(name.text(ignored)), key, occurred_at: time.time(ignored), route, ..object })
}

/// The event S3 puts on the default bus, with the identity that could be read where it is refused. The key is sent as it
/// is and stays so.
pub(in crate::events) fn carried(
    event: EventBridge<()>,
    detail: &Field<'_>,
    route: Route,
    ignored: &mut Ignored,
) -> Result<ObjectEvent, (EventError, [Option<String>; 2])> {
    const NAMES: [&str; 6] =
        ["bucket.name", "object.key", "object.size", "object.etag", "object.version-id", "object.sequencer"];
    let unnamed = |problem| (problem, [None, None]);
    let missing = EventError::MissingField { of: "EventBridge event of S3", field: "detail" };
    let json = detail.json().ok_or(missing).map_err(unnamed)?;
    let [bucket, key, size, e_tag, version_id, sequencer] = fields(json, DETAIL, NAMES).map_err(unnamed)?;
    let found = Found { bucket, key, size, e_tag, version_id, sequencer };
    let object = found.object(DETAIL, ignored);
    let object = object.map_err(|problem| (problem, [&found.bucket, &found.key].map(Field::identity)))?;
    let (name, occurred_at) = (EventName::of(event.detail_type), event.time);
    Ok(ObjectEvent { name, occurred_at, route: route.starting_with(Hop::EventBridge), ..object })
}
