//! A queue that does as it is told, and remembers what it was asked.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::{
    delivery::{CallError, DeadLetter, DeadLetterQueue, FailedEntry, Failure, REASON, SourceQueue, VisibilityChange},
    events::{MessageAttributes, Queue},
};

/// What one call was asked, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Delete(Vec<String>),
    Change(Vec<(String, u64)>),
    Send(Vec<(String, MessageAttributes)>),
}

/// A queue that writes down what it is asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) calls: Mutex<Vec<(Duration, Call)>>,
    pub(super) began: Option<Instant>,
    /// Whether dead letters and deletes are refused.
    pub(super) refuses: bool,
    /// Whether a dead letter is refused as long as it has notes.
    pub(super) refuses_notes: bool,
    /// Handles that have run out.
    pub(super) expired: Vec<&'static str>,
    /// Visibility calls never answer.
    pub(super) changes_hang: bool,
}

impl Asked {
    fn note(&self, call: Call) {
        let since = self.began.map(|began| began.elapsed()).unwrap_or_default();
        self.calls.lock().unwrap().push((since, call));
    }

    fn answer(&self, entries: usize) -> Vec<FailedEntry> {
        let refusal = |index| FailedEntry { index, failure: Failure::Refused("AccessDenied: no".to_owned()) };
        if self.refuses { (0..entries).map(refusal).collect() } else { Vec::new() }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().map(|(_, call)| call.clone()).collect()
    }

    pub(super) fn deleted(&self) -> Vec<String> {
        let handles = |call: Call| if let Call::Delete(handles) = call { handles } else { Vec::new() };
        self.calls().into_iter().flat_map(handles).collect()
    }

    pub(super) fn delays(&self) -> Vec<(String, u64)> {
        let changes = |call: Call| if let Call::Change(changes) = call { changes } else { Vec::new() };
        self.calls().into_iter().flat_map(changes).collect()
    }

    pub(super) fn dead_letters(&self) -> Vec<(String, MessageAttributes)> {
        let dead_letters = |call: Call| if let Call::Send(dead_letters) = call { dead_letters } else { Vec::new() };
        self.calls().into_iter().flat_map(dead_letters).collect()
    }
}

impl SourceQueue for Asked {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        self.note(Call::Delete(handles.iter().map(|&handle| handle.to_owned()).collect()));
        let expired = |index| FailedEntry { index, failure: Failure::HandleExpired("gone".to_owned()) };
        let failed = (0..handles.len()).filter(|&index| self.expired.contains(&handles[index])).map(expired);
        Ok(failed.chain(self.answer(handles.len())).collect())
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let asked = changes.iter().map(|change| (change.receipt_handle.to_owned(), change.timeout.as_secs()));
        self.note(Call::Change(asked.collect()));
        if self.changes_hang {
            std::future::pending::<()>().await;
        }
        let expired = |index| FailedEntry { index, failure: Failure::HandleExpired("gone".to_owned()) };
        Ok((0..changes.len())
            .filter(|&index| self.expired.contains(&changes[index].receipt_handle))
            .map(expired)
            .collect())
    }
}

impl DeadLetterQueue for Asked {
    async fn send(&self, _: &str, dead_letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let sent =
            dead_letters.iter().map(|dead_letter| (dead_letter.message_id.to_owned(), dead_letter.attributes.clone()));
        self.note(Call::Send(sent.collect()));
        let has_notes = |index: &usize| dead_letters[*index].attributes.contains_key(REASON);
        let refused = (0..dead_letters.len()).filter(|index| self.refuses_notes && has_notes(index));
        let refusal = |index| FailedEntry { index, failure: Failure::Refused("InvalidMessageContents".to_owned()) };
        Ok(refused.map(refusal).chain(self.answer(dead_letters.len())).collect())
    }
}
