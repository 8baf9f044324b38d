//! What was there, could not be read, and is needed by nobody.

use std::borrow::Cow;

use crate::preview::cut;

/// More names than these say no more.
const MAX_NAMES: usize = 20;
/// Attribute names are the producer's: SQS takes 256 characters.
const MAX_NAME_BYTES: usize = 100;

/// The names of fields that are of another type than AWS documents, each once. Their values are nobody's to log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    names: Vec<Cow<'static, str>>,
    /// How many more there were.
    more: usize,
}

impl Ignored {
    /// The names, in the order of their first appearance.
    #[must_use]
    pub fn names(&self) -> &[Cow<'static, str>] {
        &self.names
    }

    /// Says them, in one line, where there are any.
    pub fn warn(&self) {
        self.warn_within(None);
    }

    /// Says them of what is in one message.
    pub fn warn_of(&self, message_id: &str) {
        self.warn_within(Some(message_id));
    }

    fn warn_within(&self, message_id: Option<&str>) {
        if !self.names.is_empty() {
            let fields = self.names.join(", ");
            let more = (self.more > 0).then_some(self.more);
            tracing::warn!(record.message_id = message_id, fields, fields.more = more, "fields ignored");
        }
    }

    pub(crate) fn add(&mut self, name: &'static str) {
        self.add_name(Cow::Borrowed(name));
    }

    /// Notes an attribute, whose name the producer chose.
    pub(crate) fn add_attribute(&mut self, name: &str) {
        self.add_name(Cow::Owned(format!("attribute {}", cut(name, MAX_NAME_BYTES))));
    }

    /// Takes over what was noted elsewhere.
    pub(crate) fn take(&mut self, other: &Self) {
        other.names.iter().for_each(|name| self.add_name(name.clone()));
        self.more += other.more;
    }

    fn add_name(&mut self, name: Cow<'static, str>) {
        if self.names.contains(&name) {
            return;
        }
        if self.names.len() < MAX_NAMES { self.names.push(name) } else { self.more += 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_only_so_many_of_them() {
        let mut ignored = Ignored::default();
        for number in 0..30 {
            ignored.add("eventTime");
            ignored.add_attribute(&format!("{number}{}", "한".repeat(100)));
        }
        assert_eq!((ignored.names.len(), ignored.more), (MAX_NAMES, 11));
        assert!(ignored.names.iter().all(|name| name.len() <= MAX_NAME_BYTES + "attribute ".len()));
    }
}
