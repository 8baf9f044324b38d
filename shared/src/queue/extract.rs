//! Handlers: what a function takes of a record.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::{
    delivery::{RecordError, Work, payload},
    events::Record,
    idempotency::Effect,
};

/// What a handler can take instead of the record itself.
///
/// ```
/// use sluicegate::queue::{FromRecord, Record, RecordError};
///
/// struct Tenant(String);
///
/// impl FromRecord for Tenant {
///     fn from_record(record: &Record) -> Result<Self, RecordError> {
///         let tenant = record.attributes.get("tenant").and_then(|attribute| attribute.as_text());
///         tenant.map(|tenant| Self(tenant.to_owned())).ok_or_else(|| RecordError::reject("no tenant"))
///     }
/// }
///
/// async fn bill(Tenant(tenant): Tenant) -> Result<(), RecordError> {
///     println!("{tenant} pays");
///     Ok(())
/// }
/// let work = sluicegate::queue::handler(bill);
/// ```
pub trait FromRecord: Sized {
    /// Reads it. Reject what no other delivery of the message would change.
    fn from_record(record: &Record) -> Result<Self, RecordError>;
}

/// The record's body as a typed payload, also inside the envelope that SNS puts around it. A body that is not one is
/// rejected: what is wrong is in the reason, and nothing of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRecord for Json<T> {
    fn from_record(record: &Record) -> Result<Self, RecordError> {
        payload(record).map(Self)
    }
}

/// What can be done for each record of a queue: an `async fn` of the [`Record`], of something [`FromRecord`], of both, or
/// [`Work`] of a type of its own. `By` only tells these apart.
pub trait IntoWork<By> {
    /// The work it is.
    type Work: Work;

    /// As work.
    fn into_work(self) -> Self::Work;
}

/// Marks work that is work already.
#[derive(Debug)]
pub struct Itself;

impl<W: Work> IntoWork<Itself> for W {
    type Work = W;

    fn into_work(self) -> W {
        self
    }
}

impl<E: FromRecord, F: AsyncFn(E) -> Result<(), RecordError>> IntoWork<(E,)> for F {
    type Work = Extracted<F, (E,)>;

    fn into_work(self) -> Self::Work {
        Extracted { handler: self, key: None, takes: PhantomData }
    }
}

impl<E: FromRecord, F: AsyncFn(E, &Record) -> Result<(), RecordError>> IntoWork<(E, Record)> for F {
    type Work = Extracted<F, (E, Record)>;

    fn into_work(self) -> Self::Work {
        Extracted { handler: self, key: None, takes: PhantomData }
    }
}

/// A handler as work; with [`Extracted::key`] before it is given to [`run`](super::run).
pub fn handler<By, H: IntoWork<By>>(handler: H) -> H::Work {
    handler.into_work()
}

type Key<E> = dyn Fn(&E) -> Option<String>;

/// A handler that takes something [`FromRecord`].
pub struct Extracted<F, By: Takes> {
    handler: F,
    key: Option<Box<Key<By::First>>>,
    takes: PhantomData<fn(By)>,
}

/// What a handler takes.
pub trait Takes {
    /// What is made of the record.
    type First;
}

impl<E> Takes for (E,) {
    type First = E;
}

impl<E> Takes for (E, Record) {
    type First = E;
}

impl<F, By: Takes> Extracted<F, By> {
    /// By what the business knows the effect: two messages with one key are worked on once, as long as the idempotency
    /// store remembers. `None`, or a blank key, leaves it to the message's own id.
    #[must_use]
    pub fn key(mut self, key: impl Fn(&By::First) -> Option<String> + 'static) -> Self {
        self.key = Some(Box::new(key));
        self
    }

    /// One key with another body is another message's mistake, and rejected as one.
    fn effect_of(&self, record: &Record, first: &By::First) -> Option<Effect> {
        Effect::of_id("handler", &self.key.as_ref()?(first)?).map(|effect| effect.of_payload(&record.body))
    }
}

impl<E: FromRecord, F: AsyncFn(E) -> Result<(), RecordError>> Work for Extracted<F, (E,)> {
    type Job<'r> = E;

    fn read(&self, record: &Record) -> Result<E, RecordError> {
        E::from_record(record)
    }

    fn effect(&self, record: &Record, first: &E) -> Option<Effect> {
        self.effect_of(record, first)
    }

    async fn run(&self, _: &Record, first: E) -> Result<(), RecordError> {
        (self.handler)(first).await
    }
}

impl<E: FromRecord, F: AsyncFn(E, &Record) -> Result<(), RecordError>> Work for Extracted<F, (E, Record)> {
    type Job<'r> = E;

    fn read(&self, record: &Record) -> Result<E, RecordError> {
        E::from_record(record)
    }

    fn effect(&self, record: &Record, first: &E) -> Option<Effect> {
        self.effect_of(record, first)
    }

    async fn run(&self, record: &Record, first: E) -> Result<(), RecordError> {
        (self.handler)(first, record).await
    }
}
