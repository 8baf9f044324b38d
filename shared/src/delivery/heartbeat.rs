//! Keeps messages invisible while their work goes on.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    port::{Failure, SourceQueue, VisibilityChange, call_in_batches},
    process::InHand,
    retry::MAX_VISIBILITY,
};
use crate::events::{Queue, Record};

/// How messages are kept invisible while they are worked on or wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// The visibility timeout set by each beat. A beat comes every third of it, so that two may fail.
    pub visibility: Duration,
    /// After this much time since the receive a message is left to the queue, at most twelve hours.
    pub max: Duration,
}

impl Heartbeat {
    /// Beats for records whose fate is open, and abandons those whose handle is no longer valid or whose time is up.
    /// Never ends by itself.
    pub(crate) async fn beat<Q: SourceQueue>(&self, port: &Q, queue: &Queue, records: &[Record], in_hand: &InHand) {
        let received = Instant::now();
        let max = self.max.min(MAX_VISIBILITY);
        loop {
            sleep(self.visibility / 3).await;
            let open = in_hand.open();
            if received.elapsed() + self.visibility > max {
                for index in open {
                    tracing::warn!(record.message_id = %records[index].message_id, "record abandoned: heartbeat limit reached");
                    in_hand.abandon(index);
                }
                continue;
            }
            self.beat_once(port, queue, records, in_hand, &open).await;
        }
    }

    async fn beat_once<Q: SourceQueue>(
        &self,
        port: &Q,
        queue: &Queue,
        records: &[Record],
        in_hand: &InHand,
        open: &[usize],
    ) {
        let changes: Vec<VisibilityChange<'_>> = open
            .iter()
            .map(|&index| VisibilityChange { receipt_handle: &records[index].receipt_handle, timeout: self.visibility })
            .collect();
        let stop_at = Instant::now() + self.visibility / 3;
        let failures =
            call_in_batches(&changes, |_| 0, stop_at, async |batch: &[_]| port.change_visibility(queue, batch).await)
                .await;
        for (&index, failure) in open.iter().zip(failures) {
            let Some(failure) = failure else { continue };
            let message_id = &records[index].message_id;
            if let Failure::HandleExpired(_) = failure {
                tracing::warn!(record.message_id = %message_id, error = %failure, "record abandoned: another consumer may have it");
                in_hand.abandon(index);
            } else {
                tracing::warn!(record.message_id = %message_id, error = %failure, "heartbeat failed");
            }
        }
    }
}
