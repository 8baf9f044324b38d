//! What is done with a message.

pub(super) mod exec;
pub(super) mod post;
pub(super) mod print;
mod value;

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
    /// Does the work. Dropping the future stops it.
    pub(super) async fn run(&self, delivery: Delivery<'_>, timeout: Duration) -> Result<(), WorkError> {
        let work = async {
            match self {
                Self::Print(print) => print.run(delivery).map_err(WorkError::Fatal),
                Self::Exec(exec) => exec.run(delivery).await,
                Self::Post(post) => Ok(post.run(delivery).await?),
                #[cfg(test)]
                Self::Nothing(takes) => {
                    tokio::time::sleep(*takes).await;
                    Ok(())
                }
            }
        };
        let too_long = || RecordError::retry(format!("stopped: it took longer than {timeout:?}"));
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|_elapsed| Err(too_long().into()))
    }

    /// Whether each message's line is printed by the work itself.
    pub(super) fn is_print(&self) -> bool {
        matches!(self, Self::Print(_))
    }
}
