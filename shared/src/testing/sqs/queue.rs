//! One queue: sending, deleting, visibility.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    config::{Outgoing, QueueConfig},
    fifo::Deduplication,
    message::{ACCOUNT, REGION, Stored},
};
use crate::{
    delivery::Failure,
    events::{EventError, Queue},
    testing::{
        history::{Handle, Name, What},
        seed::Stream,
        service::{Aws, locked},
    },
};

/// V4.
const MAX_INVISIBLE: Duration = Duration::from_hours(12);

/// A queue and the messages in it.
#[derive(Debug)]
pub(in crate::testing) struct SimulatedQueue {
    pub(in crate::testing) name: Name,
    pub(in crate::testing) queue: Queue,
    pub(in crate::testing) config: QueueConfig,
    pub(super) state: Mutex<State>,
    /// Something may have become available.
    pub(super) changed: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    /// By their place in the line.
    pub(super) messages: BTreeMap<u64, Stored>,
    places: u64,
    ids: u64,
    deduplication: Deduplication,
    pub(super) draws: Stream,
}

/// How many messages a queue has. Exact, where SQS's own figures come late (D5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting to be received.
    pub visible: usize,
    /// Received, neither deleted nor visible.
    pub in_flight: usize,
    /// Sent, and not visible yet.
    pub delayed: usize,
}

impl Counts {
    /// All messages.
    #[must_use]
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}

impl SimulatedQueue {
    pub(in crate::testing) fn new(config: QueueConfig, draws: Stream) -> Result<Self, EventError> {
        let state =
            State { messages: BTreeMap::new(), places: 0, ids: 0, deduplication: Deduplication::default(), draws };
        Ok(Self {
            name: config.name.as_str().into(),
            queue: Queue::from_arn(&format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", config.name))?,
            config,
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    /// The state, without what is older than the queue keeps messages.
    pub(super) fn state(&self, aws: &Aws) -> MutexGuard<'_, State> {
        let mut state = locked(&self.state);
        let now = aws.now();
        // C10: FIFO counts from the move to the dead-letter queue, standard from the original send.
        let is_expired = |message: &Stored| {
            let since = if self.config.is_fifo() { message.enqueued_at } else { message.sent_at };
            now >= since + self.config.retention
        };
        state.messages.retain(|_, message| {
            let is_expired = is_expired(message);
            if is_expired && !message.is_zombie {
                aws.record(What::Expired { queue: self.name.clone(), message: message.id.clone() });
            }
            !is_expired
        });
        state
    }

    /// Takes one message; `letter_of` is the one it was made of. Answers with its id, or a code and text (B4, B7–B9, F14).
    pub(in crate::testing) fn send(
        &self,
        aws: &Aws,
        by: &Name,
        mut outgoing: Outgoing,
        letter_of: Option<Name>,
    ) -> Result<Name, String> {
        if self.config.is_fifo() {
            Deduplication::complete(&mut outgoing, &self.config)?;
        }
        outgoing.check(&self.config)?;
        let now = aws.now();
        let mut state = self.state(aws);
        state.ids += 1;
        let id: Name = format!("{}-{}", self.name, state.ids).into();
        let (queue, by) = (self.name.clone(), by.clone());
        if self.config.is_fifo()
            && let Some(of) = state.deduplication.duplicate_of(&outgoing, &id, &self.config, now)
        {
            aws.record(match letter_of {
                Some(message) => What::DeadLetterSent { queue, message, dead_letter: of.clone(), by },
                None => What::Deduplicated { queue, of: of.clone(), by },
            });
            return Ok(of);
        }
        let group = outgoing.group_id.as_deref().map(Name::from);
        aws.record(match letter_of {
            Some(message) => What::DeadLetterSent { queue, message, dead_letter: id.clone(), by },
            None => What::Sent { queue, message: id.clone(), by, group },
        });
        // D1: the message's delay wins.
        let delay = outgoing.delay.filter(|_| !self.config.is_fifo()).unwrap_or(self.config.delay);
        state.push(Stored {
            id: id.clone(),
            sent: outgoing,
            sent_at: now,
            enqueued_at: now,
            first_received_at: None,
            receives: 0,
            visible_at: now + delay,
            moved_from: None,
            asked_at: now,
            is_zombie: false,
        });
        self.changed.notify_waiters();
        Ok(id)
    }

    /// Takes a message that SQS moves (C1, C6, C7).
    pub(super) fn take_over(&self, aws: &Aws, message: Stored, from: &Name) {
        aws.record(What::Moved { queue: from.clone(), message: message.id.clone(), to: self.name.clone() });
        let first_received_at = message.first_received_at.filter(|_| !aws.disputes.first_receive_starts_anew);
        let now = aws.now();
        self.state(aws).push(Stored {
            enqueued_at: now,
            visible_at: now,
            moved_from: Some(from.clone()),
            first_received_at,
            ..message
        });
        self.changed.notify_waiters();
    }

    /// The place and the receive that a handle names. H6: any other text is invalid.
    fn place_of(&self, handle: &str) -> Result<(u64, u32), Failure> {
        let parsed = handle.rsplit_once('#').and_then(|(rest, receive)| {
            let (name, place) = rest.rsplit_once('#')?;
            Some((place.parse().ok()?, receive.parse().ok()?)).filter(|_| *name == *self.name)
        });
        parsed
            .ok_or_else(|| Failure::HandleExpired("ReceiptHandleIsInvalid: the receipt handle is not valid".to_owned()))
    }

    pub(super) fn delete(&self, aws: &Aws, by: &Name, handle: &str) -> Result<(), Failure> {
        let (place, receive) = self.place_of(handle)?;
        let now = aws.now();
        let mut state = self.state(aws);
        // H4: deleted before, and nobody minds.
        let Some(message) = state.messages.get(&place).filter(|message| !message.is_zombie) else { return Ok(()) };
        let id = message.id.clone();
        let handle = message.handle(receive, now);
        let (queue, by, message) = (self.name.clone(), by.clone(), id);
        if self.config.is_fifo() && handle != Handle::Current {
            aws.record(What::NotDeleted { queue, message, by, handle });
            return Err(expired());
        }
        // H2, H5: expired or not. H3: an older handle may do nothing.
        if handle == Handle::Old && !aws.disputes.old_handle_deletes {
            aws.record(What::NotDeleted { queue, message, by, handle });
            return Ok(());
        }
        aws.record(What::Deleted { queue, message, by, handle });
        // H4: a copy on a server that was down.
        let is_forgotten = !self.config.is_fifo()
            && aws.disputes.delete_may_be_forgotten
            && state.draws.happens(aws.rates().forgotten_delete);
        let back_at = now + state.draws.time(Duration::from_mins(1), Duration::from_mins(30));
        if let Some(message) = state.messages.get_mut(&place).filter(|_| is_forgotten) {
            message.is_zombie = true;
            message.visible_at = back_at;
        } else {
            state.messages.remove(&place);
        }
        self.changed.notify_waiters();
        Ok(())
    }

    pub(super) fn change_visibility(
        &self,
        aws: &Aws,
        by: &Name,
        handle: &str,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let (place, receive) = self.place_of(handle)?;
        let now = aws.now();
        let mut state = self.state(aws);
        let Some(message) = state.messages.get_mut(&place).filter(|message| !message.is_zombie) else {
            // H9, H10.
            let code =
                if aws.disputes.deleted_is_not_in_flight { "MessageNotInflight" } else { "InvalidParameterValue" };
            let reason = "message does not exist or is not available for visibility timeout change";
            return Err(Failure::HandleExpired(format!("{code}: {reason}")));
        };
        let handle = message.handle(receive, now);
        if self.config.is_fifo() {
            // H11 for older handles, H13 for late ones.
            if handle == Handle::Old || handle == Handle::Expired && aws.disputes.fifo_refuses_late_change {
                return Err(expired());
            }
        } else if handle == Handle::Old && !aws.disputes.old_handle_changes_visibility {
            // H8.
            return Ok(());
        }
        // V4, V5: refused, never clipped.
        if now + timeout > message.asked_at + MAX_INVISIBLE {
            let reason = "total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(Failure::Refused(format!("InvalidParameterValue: {reason}")));
        }
        // V2, V3, H7, H8.
        message.visible_at = now + timeout;
        let (queue, message, by) = (self.name.clone(), message.id.clone(), by.clone());
        aws.record(What::VisibilityChanged { queue, message, by, visibility: timeout, handle });
        self.changed.notify_waiters();
        Ok(())
    }

    pub(in crate::testing) fn counts(&self, aws: &Aws) -> Counts {
        let now = aws.now();
        self.state(aws).messages.values().fold(Counts::default(), |mut counts, message| {
            match message {
                message if message.is_visible(now) => counts.visible += 1,
                message if message.is_in_flight(now) => counts.in_flight += 1,
                _ => counts.delayed += 1,
            }
            counts
        })
    }

    pub(in crate::testing) fn messages(&self, aws: &Aws) -> Vec<Stored> {
        self.state(aws).messages.values().cloned().collect()
    }
}

/// H11.
fn expired() -> Failure {
    Failure::HandleExpired("InvalidParameterValue: The receipt handle has expired".to_owned())
}

impl State {
    fn push(&mut self, message: Stored) {
        self.places += 1;
        self.messages.insert(self.places, message);
    }
}

impl Stored {
    fn handle(&self, receive: u32, now: Duration) -> Handle {
        match self {
            message if message.receives != receive => Handle::Old,
            message if message.is_visible(now) => Handle::Expired,
            _ => Handle::Current,
        }
    }
}
