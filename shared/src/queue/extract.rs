//! Handlers: what a function takes of a record.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::{
    delivery::Work,
    events::Record,
    idempotency::{Effect, hash},
    record_error::{RecordError, inside, read_payload},
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
        read_payload(record).map(Self)
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
        Extracted::of(self)
    }
}

impl<E: FromRecord, F: AsyncFn(E, &Record) -> Result<(), RecordError>> IntoWork<(E, Record)> for F {
    type Work = Extracted<F, (E, Record)>;

    fn into_work(self) -> Self::Work {
        Extracted::of(self)
    }
}

/// What a handler takes: `(E,)`, something [`FromRecord`], or `(E, Record)`, that and the record.
pub trait Takes<F> {
    /// What is made of the record.
    type First: FromRecord;

    /// Calls the handler.
    fn call(handler: &F, first: Self::First, record: &Record) -> impl Future<Output = Result<(), RecordError>>;
}

impl<E: FromRecord, F: AsyncFn(E) -> Result<(), RecordError>> Takes<F> for (E,) {
    type First = E;

    async fn call(handler: &F, first: E, _: &Record) -> Result<(), RecordError> {
        handler(first).await
    }
}

impl<E: FromRecord, F: AsyncFn(E, &Record) -> Result<(), RecordError>> Takes<F> for (E, Record) {
    type First = E;

    async fn call(handler: &F, first: E, record: &Record) -> Result<(), RecordError> {
        handler(first, record).await
    }
}

/// A handler as work; with [`Extracted::key`] before it is given to [`run`](super::run).
pub fn handler<By, H: IntoWork<By>>(handler: H) -> H::Work {
    handler.into_work()
}

type Key<E> = dyn Fn(&E) -> Option<String>;

/// A handler that takes something [`FromRecord`].
pub struct Extracted<F, By: Takes<F>> {
    handler: F,
    key: Option<Box<Key<By::First>>>,
    takes: PhantomData<fn(By)>,
}

impl<F, By: Takes<F>> Extracted<F, By> {
    fn of(handler: F) -> Self {
        Self { handler, key: None, takes: PhantomData }
    }

    /// By what the business knows the effect: two messages with one key are worked on once, as long as the idempotency
    /// store remembers; one with the same key and another payload is another message's mistake, and rejected as one.
    /// `None`, or a blank key, leaves it to the message's own id. The store has the key's hash.
    #[must_use]
    pub fn key(mut self, key: impl Fn(&By::First) -> Option<String> + 'static) -> Self {
        self.key = Some(Box::new(key));
        self
    }
}

impl<F, By: Takes<F>> Work for Extracted<F, By> {
    type Job<'r> = By::First;

    fn read(&self, record: &Record) -> Result<By::First, RecordError> {
        By::First::from_record(record)
    }

    fn effect(&self, record: &Record, first: &By::First) -> Option<Effect> {
        let key = self.key.as_ref()?(first).filter(|key| !key.trim().is_empty())?;
        // Of two envelopes of SNS around one payload no text is the same.
        Some(Effect::of_id("handler", &hash(key.as_bytes()))?.of_payload(&*inside(record)))
    }

    async fn run(&self, record: &Record, first: By::First) -> Result<(), RecordError> {
        By::call(&self.handler, first, record).await
    }
}
