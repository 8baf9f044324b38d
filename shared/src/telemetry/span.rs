//! The fields of open spans.

/// Fields in the order they were opened, each name once: an inner span's value stands in the outer one's place.
#[derive(Debug, Default)]
pub(crate) struct SpanFields(Vec<(&'static str, String)>);

impl SpanFields {
    /// `value` as it stands in a line.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds those of a span further in.
    pub(crate) fn extend(&mut self, inner: &Self) {
        for (name, value) in inner.iter() {
            self.set(name, value.to_owned());
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
