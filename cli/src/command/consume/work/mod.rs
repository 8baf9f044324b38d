//! What is done with a message.

pub(super) mod exec;
pub(super) mod post;
pub(super) mod print;
mod value;

#[cfg(test)]
use std::time::Duration;

use sluicegate::{
    delivery::RecordError,
    events::{Queue, Record},
};

/// One message in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub(super) queue: &'a Queue,
    pub(super) record: &'a Record,
    /// Who sent it, as SQS knows them.
    pub(super) sender_id: Option<&'a str>,
}

/// The one thing this run does with every message.
#[derive(Debug)]
pub(super) enum Work {
    Print(print::Print),
    Exec(exec::Exec),
    Post(post::Post),
    /// Takes this long.
    #[cfg(test)]
    Nothing(Duration),
}

/// Why no message at all can be worked on.
#[derive(Debug)]
pub(super) enum WorkError {
    /// This message's own trouble.
    Record(RecordError),
    /// The run must end; the message is given back.
    Fatal(anyhow::Error),
}

impl From<RecordError> for WorkError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl Work {
    /// Does the work, until `stopped` answers: then the work has ended too.
    pub(super) async fn run(
        &self,
        delivery: Delivery<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> Result<(), WorkError> {
        let dropped = |error: RecordError| Err(error.into());
        match self {
            Self::Exec(exec) => exec.run(delivery, stopped).await,
            Self::Print(print) => tokio::select! {
                printed = print.run(delivery) => printed.map_err(WorkError::Fatal),
                error = stopped => dropped(error),
            },
            Self::Post(post) => tokio::select! {
                posted = post.run(delivery) => Ok(posted?),
                error = stopped => dropped(error),
            },
            #[cfg(test)]
            Self::Nothing(takes) => tokio::select! {
                () = tokio::time::sleep(*takes) => Ok(()),
                error = stopped => dropped(error),
            },
        }
    }

    /// Whether each message's line is printed by the work itself.
    pub(super) fn is_print(&self) -> bool {
        matches!(self, Self::Print(_))
    }
}
