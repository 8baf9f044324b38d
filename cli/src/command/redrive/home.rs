//! Where letters go: by whose word, and whether it may be believed.
//!
//! A letter is data, not an order: who may write to the queue may write any body and any note. What it says is believed
//! only if the target's own configuration names this queue; `--to` and `--function` are the user's word.
//!
//! | module | whose configuration |
//! |---|---|
//! | `queue` | queues: their redrive policies |
//! | `function` | functions and their mappings: destinations and dead-letter settings |
//! | `subscription` | subscriptions: their redrive policies |
//! | `rule` | rules and schedules: the dead-letter settings of their targets |
//! | `stream` | none: the records that a letter stands for, read back |

mod function;
mod queue;
mod rule;
mod stream;
mod subscription;

use std::{collections::HashMap, sync::Arc, time::Duration};

use sluicegate::{
    clock::{Clock, SystemClock},
    events::MessageAttributes,
};

pub(super) use self::function::Function;
use crate::{
    connection::OpenQueue,
    dead_letter::{Letter, Origin, payload},
    message::age,
    outgoing::Outgoing,
};

/// What becomes of a letter.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Send { to: OpenQueue, message: Outgoing },
    Invoke { function: Function, event: Arc<str> },
}

/// Why a letter goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stay {
    /// Nobody waits for it: it may be deleted.
    Settled(&'static str),
    /// It is somebody's to look at.
    Refused(String),
}

/// Where one claim leads, once it is believed.
#[derive(Debug, Clone)]
struct Home {
    place: Place,
    /// What the target is given instead of the event.
    input: Option<String>,
    /// A tick that is older is of no use.
    period: Option<Duration>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Place {
    Queue(OpenQueue),
    Function(Function),
}

/// What of the letter is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Body and attributes, as they are.
    Whole,
    /// The body; its attributes are notes of whoever left it.
    Body,
    /// What is inside the envelope of SNS.
    Raw,
    /// The envelope as SNS invokes functions with it, for the subscription of this ARN.
    Invocation(String),
}

impl Home {
    fn new(place: Place, form: Form) -> Self {
        Self { place, input: None, period: None, form }
    }
}

/// The places that letters of one queue may go to.
#[derive(Debug)]
pub(super) struct Homes {
    dlq: OpenQueue,
    /// Empty when AWS did not tell it: then no configuration names it.
    dlq_arn: String,
    to: Option<OpenQueue>,
    function: Option<Function>,
    sources: Vec<sluicegate::events::Queue>,
    /// By claim; or why nothing goes there.
    known: HashMap<Origin, Result<Home, Stay>>,
    /// By name: what did not take a letter takes no more.
    refused: HashMap<String, String>,
}

impl Homes {
    pub(super) async fn find(
        dlq: &OpenQueue,
        dlq_arn: Option<String>,
        to: Option<OpenQueue>,
        function: Option<Function>,
    ) -> anyhow::Result<Self> {
        // Who may not ask goes on: then the letters must say it.
        let is_told = to.is_some() || function.is_some();
        let sources = if is_told { Vec::new() } else { dlq.dead_letter_sources().await?.unwrap_or_default() };
        let dlq_arn = dlq_arn.unwrap_or_default();
        Ok(Self { dlq: dlq.clone(), dlq_arn, to, function, sources, known: HashMap::new(), refused: HashMap::new() })
    }

    /// The way of this letter, or why it stays.
    pub(super) async fn of(&mut self, letter: &Letter) -> Result<Way, Stay> {
        let home = self.home(letter).await?;
        let is_cut = letter.record.attributes.get("IS_PAYLOAD_TRUNCATED").and_then(|is| is.as_text());
        if home.input.is_none() && is_cut.is_some_and(|is| is.eq_ignore_ascii_case("true")) && self.to.is_none() {
            return Err(Stay::Refused("what they hold was cut, to make it fit".to_owned()));
        }
        if home.period.is_some_and(|period| age(&letter.record, SystemClock.now()).is_some_and(|age| age > period)) {
            return Err(Stay::Settled("expired: the next tick has come"));
        }
        let way = self.way(home, letter).await.map_err(Stay::Refused)?;
        self.refused.get(&way.name()).map_or(Ok(way), |reason| Err(Stay::Refused(reason.clone())))
    }

    /// Nothing more goes this way.
    pub(super) fn refuse(&mut self, name: String, reason: &str) {
        self.refused.insert(name, reason.to_owned());
    }

    async fn home(&mut self, letter: &Letter) -> Result<Home, Stay> {
        if let Some(to) = &self.to {
            return Ok(Home::new(Place::Queue(to.clone()), Form::Whole));
        }
        if let Some(function) = &self.function {
            let form = match &letter.origin {
                Origin::Subscription { subscription, .. } => Form::Invocation(subscription.clone().unwrap_or_default()),
                _ => Form::Whole,
            };
            return Ok(Home::new(Place::Function(function.clone()), form));
        }
        let claim = letter.origin.claim();
        if let Some(known) = self.known.get(&claim) {
            return known.clone();
        }
        let found = self.look(&letter.origin, letter).await;
        self.known.insert(claim, found.clone());
        found
    }

    /// Asks the configuration of whatever the letter names.
    async fn look(&self, origin: &Origin, letter: &Letter) -> Result<Home, Stay> {
        let refused = |error: anyhow::Error| Stay::Refused(format!("{error:#}"));
        match origin {
            Origin::Moved(source) => self.moved_from(source).await.map_err(refused),
            Origin::Rejected(source) => self.rejected_from(source).await.map_err(refused),
            Origin::Dispatch { function } => {
                self.destination_of(function).await.map_err(refused)?;
                Err(Stay::Settled("settled by its queue: the messages stayed there"))
            }
            Origin::Invocation { function } => self.destination_of(function).await.map_err(refused),
            Origin::Event => self.only_function().await.map_err(refused),
            Origin::Subscription { topic, subscription } => {
                self.subscriber(topic, subscription.as_deref()).await.map_err(refused)
            }
            Origin::Rule { rule, target } => self.target_of_rule(rule, target, letter).await.map_err(refused),
            Origin::Schedule { schedule, target } => self.target_of_schedule(schedule, target).await.map_err(refused),
            Origin::Stream(place) => self.mapping_of(place).await.map_err(refused),
            Origin::Unknown => self.unknown().await.map_err(refused),
        }
    }

    async fn way(&self, home: Home, letter: &Letter) -> Result<Way, String> {
        let Home { place, input, form, .. } = home;
        match place {
            Place::Queue(to) => {
                let mut letter = letter.clone();
                match form {
                    Form::Raw => subscription::peel(&mut letter.record),
                    Form::Body => letter.record.attributes = MessageAttributes::new(),
                    Form::Whole | Form::Invocation(_) => {}
                }
                letter.record.body = input.unwrap_or(letter.record.body);
                let message = letter.redriven(self.dlq.queue.name(), to.queue.is_fifo());
                Ok(Way::Send { to, message })
            }
            Place::Function(function) => {
                let body = letter.record.body.as_str();
                let event = match (&letter.origin, form) {
                    _ if input.is_some() => input.unwrap_or_default(),
                    (Origin::Stream(place), _) => {
                        stream::event(&self.dlq.connection, place).await.map_err(|error| format!("{error:#}"))?
                    }
                    (_, Form::Invocation(arn)) => subscription::invocation(body, &arn),
                    _ => payload(body).unwrap_or(body).to_owned(),
                };
                Ok(Way::Invoke { function, event: event.into() })
            }
        }
    }
}

impl Way {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Send { to, .. } => to.queue.name().to_owned(),
            Self::Invoke { function, .. } => format!("function {}", function.name()),
        }
    }
}

#[cfg(test)]
mod tests;
