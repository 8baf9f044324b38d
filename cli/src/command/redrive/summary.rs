//! What became of the letters, and how it is said.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::mover::Limits;
use crate::{dead_letter::Kind, output::Output};

/// Letters of one kind, for one reason, with one fate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) reason: String,
    pub(super) fate: String,
}

/// What became of the letters.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Sent and deleted, or what would be; by queue or function.
    pub(super) moved: BTreeMap<String, u64>,
    /// Nobody waits for them; by why.
    pub(super) settled: BTreeMap<String, u64>,
    /// Those of `settled` that were deleted.
    pub(super) deleted: u64,
    /// Looked at and left.
    pub(super) not_matching: u64,
    /// Sent here since the command began, and left: they may have been moved by it already.
    pub(super) younger: u64,
    /// Left, by reason: where they belong is not known, or did not take them.
    pub(super) staying: BTreeMap<String, u64>,
    /// In both queues now.
    pub(super) not_deleted: u64,
    /// Visible, and not looked at.
    pub(super) not_seen: u64,
    /// What matched, by kind and reason.
    #[serde(serialize_with = "rows")]
    pub(super) kinds: BTreeMap<Row, u64>,
}

fn rows<S: serde::Serializer>(rows: &BTreeMap<Row, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(
        |(Row { kind, reason, fate }, count)| json!({ "kind": kind, "reason": reason, "fate": fate, "count": count }),
    ))
}

impl Summary {
    pub(super) fn report(&self, limits: &Limits, output: Output) -> anyhow::Result<()> {
        for (reason, count) in &self.staying {
            output.note(&format!("{count} stay, as {reason}: add --to QUEUE to send them elsewhere"));
        }
        for (why, count) in self.settled.iter().filter(|_| !limits.delete_settled) {
            output.note(&format!("{count} {why}: add --delete-settled to delete them"));
        }
        if self.not_seen > 0 {
            output.note(&format!("about {} are visible and were not received: run it again", self.not_seen));
        }
        let text = || {
            let total: u64 = self.moved.values().sum();
            let places: Vec<String> = self.moved.iter().map(|(place, count)| format!("{count} to {place}")).collect();
            let colon = if places.is_empty() { "" } else { ": " };
            let deed = match limits {
                Limits { dry_run: true, .. } => "would be moved",
                Limits { keep: true, .. } => "copied",
                _ => "moved",
            };
            let settled = self.settled.values().sum::<u64>() - self.deleted;
            let besides = [
                (self.not_matching, "did not match"),
                (self.younger, "came since, and stay"),
                (settled, "settled"),
                (self.deleted, "settled and deleted"),
            ];
            let besides =
                besides.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("; {count} {what}"));
            let mut text =
                format!("{total} messages {deed}{colon}{}{}", places.join(", "), besides.collect::<String>());
            if limits.dry_run {
                text.extend(self.kinds.iter().map(|(Row { kind, reason, fate }, count)| {
                    format!("\n{count:>7}  {kind:<12}  {fate}  ({})", output.shown(reason))
                }));
            }
            text
        };
        output.result(text, &json!({ "summary": self }))
    }
}
