//! Receiving: what is given out, in which order, and what is moved to the dead-letter queue instead.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep_until;

use super::{
    fifo,
    message::Stored,
    queue::{SimulatedQueue, State},
};
use crate::{
    delivery::CallError,
    events::dispatch::Message,
    random::Random,
    testing::{
        history::{Name, What},
        service::Aws,
    },
};

/// One `ReceiveMessage`.
#[derive(Debug, Clone)]
pub(in crate::testing) struct Ask {
    pub(in crate::testing) by: Name,
    /// 1 to 10 (P4).
    pub(in crate::testing) max_messages: usize,
    /// `None`: as the queue says.
    pub(in crate::testing) visibility: Option<Duration>,
    /// When it was asked for: where the twelve hours begin (V4).
    pub(in crate::testing) asked_at: Duration,
    pub(in crate::testing) is_long: bool,
}

/// The receives after which a standard queue puts a message to the back (C12).
const RECEIVES_TO_THE_BACK: u32 = 3;

impl SimulatedQueue {
    /// Gives out what is available now.
    pub(in crate::testing) fn take(&self, aws: &Aws, ask: &Ask) -> Result<Vec<Message>, CallError> {
        let now = aws.now();
        let mut state = self.state(aws);
        let in_flight = state.messages.values().filter(|message| message.is_in_flight(now)).count();
        if in_flight >= self.config.in_flight_limit {
            // P6, P7.
            let is_refused = !self.config.is_fifo() && !ask.is_long;
            let error = CallError { message: "OverLimit: too many messages in flight".to_owned(), is_transient: false };
            return if is_refused { Err(error) } else { Ok(Vec::new()) };
        }
        let places = if self.config.is_fifo() {
            state.fifo_places(aws, now)
        } else {
            state.standard_places(aws, now, ask.is_long)
        };
        let redrive = self.config.redrive.as_ref();
        let dead_letters = redrive.and_then(|redrive| Some((aws.queue(&redrive.dead_letter_queue)?, redrive)));
        let (mut messages, mut moved) = (Vec::new(), Vec::new());
        for place in places {
            if messages.len() == ask.max_messages.clamp(1, 10).min(self.config.in_flight_limit - in_flight) {
                break;
            }
            // C2: at the receive after the last allowed, which is not counted.
            let receives = state.messages.get(&place).map_or(0, |message| message.receives);
            if dead_letters.as_ref().is_some_and(|(_, redrive)| receives >= redrive.max_receive_count) {
                moved.extend(state.messages.remove(&place));
            } else if let Some(message) = state.messages.get_mut(&place) {
                messages.push(self.give_out(aws, message, place, ask));
            }
        }
        drop(state);
        if let Some((queue, _)) = dead_letters {
            for message in moved {
                if message.is_zombie {
                    aws.record(What::CameBack { queue: self.name.clone(), message: message.id.clone() });
                }
                queue.take_over(aws, Stored { is_zombie: false, ..message }, &self.name);
            }
        }
        Ok(messages)
    }

    /// V1, H1, C1.
    fn give_out(&self, aws: &Aws, message: &mut Stored, place: u64, ask: &Ask) -> Message {
        let now = aws.now();
        let (queue, id) = (self.name.clone(), message.id.clone());
        if std::mem::take(&mut message.is_zombie) {
            aws.record(What::CameBack { queue: queue.clone(), message: id.clone() });
        }
        let while_in_flight = message.is_in_flight(now);
        let visibility = ask.visibility.unwrap_or(self.config.visibility);
        message.receives += 1;
        message.visible_at = now + visibility;
        message.asked_at = ask.asked_at;
        message.first_received_at.get_or_insert(now);
        let (by, count) = (ask.by.clone(), message.receives);
        aws.record(What::Received { queue, message: id, by, count, visibility, while_in_flight });
        message.as_received(format!("{}#{place}#{count}", self.name), place, self.config.is_fifo())
    }

    /// Waits until a message may have become available: at most until then, and without end for `None`.
    pub(in crate::testing) async fn change(&self, aws: &Aws, until: Option<Duration>) {
        let now = aws.now();
        let next = {
            let state = self.state(aws);
            state.messages.values().map(|message| message.visible_at).filter(|&at| at > now).min()
        };
        let wake = next.into_iter().chain(until).min();
        tokio::select! {
            biased;
            () = self.changed.notified() => {}
            () = sleep_until(aws.start + wake.unwrap_or_default()), if wake.is_some() => {}
        }
    }

    /// P2: gives out what there is as soon as there is anything, or nothing at that time.
    pub(super) async fn take_by(
        self: Arc<Self>,
        aws: Arc<Aws>,
        ask: Ask,
        until: Duration,
    ) -> Result<Vec<Message>, CallError> {
        loop {
            let messages = self.take(&aws, &ask)?;
            if !messages.is_empty() || aws.now() >= until {
                return Ok(messages);
            }
            self.change(&aws, Some(until)).await;
        }
    }

    /// Whether a receive would give or move anything.
    pub(in crate::testing) fn has_available(&self, aws: &Aws) -> bool {
        let (now, state) = (aws.now(), self.state(aws));
        if self.config.is_fifo() {
            !state.fifo_places(aws, now).is_empty()
        } else {
            state.messages.values().any(|message| message.is_visible(now))
        }
    }
}

impl State {
    fn fifo_places(&self, aws: &Aws, now: Duration) -> Vec<u64> {
        let messages = self.messages.iter().map(|(&place, message)| (place, message));
        let mut groups = fifo::available(messages, now, aws.disputes.whole_group_locks);
        // P9: the order among groups is open.
        if self.draws.happens(aws.rates().disorder) {
            self.draws.shuffle(&mut groups);
        }
        groups.concat()
    }

    fn standard_places(&self, aws: &Aws, now: Duration, is_long: bool) -> Vec<u64> {
        let rates = aws.rates();
        let visible = self.messages.iter().filter(|(_, message)| message.is_visible(now));
        // C12.
        let (mut places, tired): (Vec<_>, Vec<_>) =
            visible.partition(|(_, message)| message.receives < RECEIVES_TO_THE_BACK);
        places.extend(tired);
        let mut places: Vec<u64> = places.into_iter().map(|(&place, _)| place).collect();
        // P5.
        if self.draws.happens(rates.disorder) {
            self.draws.shuffle(&mut places);
            // P1.
            if !is_long {
                places.truncate(self.draws.place(places.len() + 1));
            }
        }
        // V6.
        if self.draws.happens(rates.duplicate) {
            let is_held = |message: &Stored| message.is_in_flight(now) && !message.is_zombie;
            let held: Vec<u64> =
                self.messages.iter().filter(|(_, message)| is_held(message)).map(|(&place, _)| place).collect();
            places.splice(0..0, held.get(self.draws.place(held.len())).copied());
        }
        places
    }
}
