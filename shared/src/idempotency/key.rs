//! Names for effects.

use std::{borrow::Cow, fmt::Write, time::Duration};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::events::{EventKind, ObjectEvent};

/// What one message does, by a name that another message with the same effect bears as well.
///
/// ```
/// # use sluicegate::idempotency::Effect;
/// let donor = serde_json::json!({"id": "d-17", "name": "Ada"});
/// let effect = Effect::named("NewDonor", &donor["id"]).map(|effect| effect.of_payload(donor["name"].as_str().unwrap_or_default()));
/// assert!(effect.is_some());
/// assert!(Effect::named("NewDonor", &donor["no such field"]).is_none(), "the message id is its name then");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    parts: Vec<String>,
    pub(crate) payload_hash: Option<String>,
    pub(crate) repeats_after: Option<Duration>,
}

impl Effect {
    /// The effect that the business names: text that is not blank, or a whole number. `None` for anything else: a name is
    /// made of an identity, never of a placeholder.
    #[must_use]
    pub fn named(job: &str, id: &Value) -> Option<Self> {
        match id {
            Value::String(text) => Self::of_id(job, text),
            Value::Number(number) if number.is_i64() || number.is_u64() => Self::of_id(job, &number.to_string()),
            _ => None,
        }
    }

    /// As [`Effect::named`], for a name that is a text already. `None` for a blank one.
    #[must_use]
    pub fn of_id(job: &str, id: &str) -> Option<Self> {
        (!id.trim().is_empty()).then(|| Self::of([job, id].map(ToOwned::to_owned)))
    }

    /// What happened to one version of an object; S3 may tell of it more than once. `None` where the event lacks what
    /// tells it from others: its sequencer, or its time.
    #[must_use]
    pub fn of_object(job: &str, object: &ObjectEvent) -> Option<Self> {
        // A bucket without versions has the version `null`, the same for everything that happens to a key.
        let version = object.version_id.as_deref().filter(|version| *version != "null").unwrap_or_default();
        let which = match &object.sequencer {
            Some(sequencer) => sequencer.clone(),
            None if object.kind() == EventKind::Unnamed => return None,
            // Tags, ACLs and restores have none.
            None => format!("{} {}", object.name, object.occurred_at?.timestamp_micros()),
        };
        Some(Self::of([job, &object.bucket, &object.key, version, &which].map(ToOwned::to_owned)))
    }

    /// The effect of the message itself, which no other message has.
    pub(crate) fn of_message(message_id: &str) -> Self {
        Self::of(["message".to_owned(), message_id.to_owned()])
    }

    /// The same name with another payload is then another message's mistake, and rejected as one. `payload` is what the
    /// job reads, not the text it came in.
    #[must_use]
    pub fn of_payload(mut self, payload: impl AsRef<[u8]>) -> Self {
        self.payload_hash = Some(hash(payload.as_ref()));
        self
    }

    /// The business uses the name again after this time: a message sent later than that after the work was done is no
    /// duplicate. Without it a name stands for one effect as long as the store remembers it.
    #[must_use]
    pub fn repeats_after(mut self, time: Duration) -> Self {
        self.repeats_after = Some(time);
        self
    }

    fn of(parts: impl Into<Vec<String>>) -> Self {
        Self { parts: parts.into(), payload_hash: None, repeats_after: None }
    }

    /// The name in a store that others use too.
    #[must_use]
    pub fn key(&self, function: &str) -> String {
        key(std::iter::once(function).chain(self.parts.iter().map(String::as_str)))
    }
}

/// Parts with their lengths: no two lists of parts make the same key.
pub(crate) fn key<'p>(parts: impl Iterator<Item = &'p str>) -> String {
    parts.fold(String::new(), |mut key, part| {
        let _ = write!(key, "{}:{part}", part.len());
        key
    })
}

/// A key for a store that takes at most `max_bytes`: as it is, or its hash.
#[must_use]
pub fn fitted(key: &str, max_bytes: usize) -> Cow<'_, str> {
    if key.len() <= max_bytes { Cow::Borrowed(key) } else { Cow::Owned(format!("sha256:{}", hash(key.as_bytes()))) }
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::events::read_object_events;

    #[test]
    fn text_and_whole_numbers_are_names_and_placeholders_are_not() {
        for id in [json!("d-17"), json!(17), json!(-1), json!(u64::MAX)] {
            assert!(Effect::named("NewDonor", &id).is_some(), "{id}");
        }
        for id in [json!(""), json!("  "), json!(null), json!(1.5), json!(true), json!([]), json!({})] {
            assert!(Effect::named("NewDonor", &id).is_none(), "{id}");
        }
    }

    #[test]
    fn no_two_names_share_a_key() {
        let keys = [
            Effect::named("a", &json!("bc")).unwrap().key("f"),
            Effect::named("ab", &json!("c")).unwrap().key("f"),
            Effect::named("a", &json!("bc")).unwrap().key("g"),
            Effect::of_message("bc").key("f"),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "{key}");
        }
    }

    #[test]
    fn two_events_of_an_object_share_a_name_only_when_they_are_one_event() {
        let event = |name: &str, time: &str, object: serde_json::Value| {
            let record = json!({"eventSource": "aws:s3", "eventName": name, "eventTime": time, "s3": {"bucket": {"name": "b"}, "object": object}});
            let events = read_object_events(&json!({"Records": [record]}).to_string()).unwrap();
            Effect::of_object("job", &events.objects[0]).unwrap().key("f")
        };
        let created = |sequencer: &str| json!({"key": "k", "versionId": "null", "sequencer": sequencer});
        let noon = "2026-11-01T12:00:00.000Z";
        assert_ne!(event("ObjectCreated:Put", noon, created("01")), event("ObjectCreated:Put", noon, created("02")));
        assert_eq!(event("ObjectCreated:Put", noon, created("01")), event("ObjectCreated:Put", noon, created("01")));
        let tagged = json!({"key": "k", "versionId": "v1"});
        let later = event("ObjectTagging:Put", "2026-11-01T12:00:01.000Z", tagged.clone());
        assert_ne!(event("ObjectTagging:Put", noon, tagged.clone()), later);
        assert_ne!(event("ObjectTagging:Put", noon, tagged.clone()), event("ObjectAcl:Put", noon, tagged));
    }

    #[test]
    fn a_key_that_is_too_long_becomes_a_hash_that_tells_it_from_others() {
        let long = |end: &str| format!("{}{end}", "x".repeat(3_000));
        assert_eq!(fitted("short", 2_048), "short");
        assert!(fitted(&long("a"), 2_048).len() < 100);
        assert_ne!(fitted(&long("a"), 2_048), fitted(&long("b"), 2_048));
    }
}
