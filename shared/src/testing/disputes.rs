//! What AWS's pages leave open.

use super::seed::Stream;

/// How a world decides what AWS's pages disagree on or do not say. A correct program survives every choice; the letters
/// and numbers name the facts in the specification that the project keeps (`AWS-SEMANTICS.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Disputes {
    /// H3: on a standard queue a delete with an older handle, after a newer receive, deletes.
    pub old_handle_deletes: bool,
    /// H4: a delete on a standard queue may be forgotten, and the message comes back.
    pub delete_may_be_forgotten: bool,
    /// H8: on a standard queue a visibility change with an older handle, after a newer receive, takes effect.
    pub old_handle_changes_visibility: bool,
    /// H10: a visibility change of a deleted message is `MessageNotInflight`, not `InvalidParameterValue`.
    pub deleted_is_not_in_flight: bool,
    /// H13: on a FIFO queue a visibility change after the visibility ended is refused.
    pub fifo_refuses_late_change: bool,
    /// F1 and not F2: one message in flight locks its whole group, the earlier ones too.
    pub whole_group_locks: bool,
    /// B6: on a FIFO queue a failed entry of a batch keeps the later ones of its group out.
    pub failed_entry_stops_group: bool,
    /// C7: the time of the first receive starts anew in the dead-letter queue.
    pub first_receive_starts_anew: bool,
    /// P3: a long poll may come back empty though messages are there.
    pub false_empty: bool,
    /// E7: with little traffic a mapping waits up to 20 s though its window is shorter.
    pub mapping_lingers: bool,
    /// E13: a mapping's batch from a FIFO queue may hold several groups.
    pub several_groups: bool,
    /// E16: tries of a throttled batch before it is let go.
    pub throttle_tries: u32,
    /// E17 and not E18: errors make a mapping poll less.
    pub errors_slow_polling: bool,
    /// L3: an asynchronous event may run twice.
    pub event_may_run_twice: bool,
}

impl Disputes {
    /// Draws every answer.
    #[must_use]
    pub fn draw(draws: &Stream) -> Self {
        Self {
            old_handle_deletes: draws.flip(),
            delete_may_be_forgotten: draws.flip(),
            old_handle_changes_visibility: draws.flip(),
            deleted_is_not_in_flight: draws.flip(),
            fifo_refuses_late_change: draws.flip(),
            whole_group_locks: draws.flip(),
            failed_entry_stops_group: draws.flip(),
            first_receive_starts_anew: draws.flip(),
            false_empty: draws.flip(),
            mapping_lingers: draws.flip(),
            several_groups: draws.flip(),
            throttle_tries: u32::try_from(draws.between(0, 5)).unwrap_or(0),
            errors_slow_polling: draws.flip(),
            event_may_run_twice: draws.flip(),
        }
    }
}
