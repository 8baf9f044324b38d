//! What is done with a message.

use std::convert::Infallible;

use crate::{
    delivery::RecordError,
    events::{Queue, Record},
};

/// One message in hand.
#[derive(Debug, Clone, Copy)]
pub struct Received<'r> {
    /// The queue it came from.
    pub queue: &'r Queue,
    /// The message.
    pub record: &'r Record,
    /// Who sent it, as SQS knows them: a user's or role's id.
    pub sender_id: Option<&'r str>,
}

/// Why a message was not done.
#[derive(Debug)]
pub enum HandlerError<F = Infallible> {
    /// It is this message's own trouble.
    Record(RecordError),
    /// No message at all can be worked on: the consumer ends, and the message is given back.
    Fatal(F),
}

impl<F> From<RecordError> for HandlerError<F> {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// What is done with each message. An `async fn(&Record) -> Result<(), RecordError>` is one, and is dropped when its time is
/// over; a type that must be told implements it for itself.
pub trait Handler {
    /// What ends the whole run.
    type Fatal;

    /// Does the work, until `stopped` answers: the message's own time or the grace is over. The work is then to end, and its
    /// answer is what `stopped` said.
    fn handle(
        &self,
        received: Received<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> impl Future<Output = Result<(), HandlerError<Self::Fatal>>>;
}

impl<H: AsyncFn(&Record) -> Result<(), RecordError>> Handler for H {
    type Fatal = Infallible;

    async fn handle(
        &self,
        received: Received<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> Result<(), HandlerError> {
        tokio::select! {
            biased;
            outcome = self(received.record) => Ok(outcome?),
            error = stopped => Err(error.into()),
        }
    }
}
