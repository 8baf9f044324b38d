//! `NewDonor`: somebody gave, and is to be known by name.

use std::borrow::Cow;

use sluicegate::{
    events::{EventError, Ignored, Record, json::Field},
    idempotency::Effect,
};

/// What a producer sends: a JSON object with a name that is not blank. Its `id`, a text that is not blank or a whole
/// number, is what duplicates are known by; other fields are left alone.
#[derive(Debug, PartialEq, Eq)]
pub struct NewDonor<'r> {
    name: Cow<'r, str>,
    id: Option<Cow<'r, str>>,
    ignored: Ignored,
}

impl<'r> NewDonor<'r> {
    pub(super) fn read(name: &Field<'r>, id: &Field<'r>) -> Result<Self, EventError> {
        const OF: &str = "donor";
        let name = name.needed(OF)?;
        if name.trim().is_empty() {
            return Err(EventError::MissingField { of: OF, field: "name" });
        }
        let mut ignored = Ignored::default();
        Ok(Self { name, id: id.name_or_number(&mut ignored), ignored })
    }

    /// The same id with another name is another donor's mistake.
    pub(super) fn effect(&self, job: &str) -> Option<Effect> {
        Some(Effect::of_id(job, self.id.as_deref()?)?.of_payload(self.name.trim()))
    }

    pub(super) fn run(self, record: &Record) {
        self.ignored.warn_of(&record.message_id);
        // The name is somebody's: its length is enough to see that it came through.
        tracing::info!(
            record.message_id = %record.message_id,
            donor.name_chars = self.name.trim().chars().count(),
            "donor registered"
        );
    }

    pub(super) fn into_owned<'o>(self) -> NewDonor<'o> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        NewDonor { name: owned(self.name), id: self.id.map(owned), ignored: self.ignored }
    }
}
