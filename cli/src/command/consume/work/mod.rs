//! What is done with a message.

pub(super) mod exec;
pub(super) mod post;
pub(super) mod print;
mod value;

use sluicegate::{
    consumer::{Handler, HandlerError, Received},
    delivery::RecordError,
};

/// The one thing this run does with every message.
#[derive(Debug)]
pub(super) enum Work {
    Print(print::Print),
    Exec(exec::Exec),
    Post(post::Post),
}

/// Why a message was not done, or no message can be.
pub(super) type WorkError = HandlerError<anyhow::Error>;

impl Handler for Work {
    type Fatal = anyhow::Error;

    async fn handle(
        &self,
        received: Received<'_>,
        stopped: impl Future<Output = RecordError>,
    ) -> Result<(), WorkError> {
        let dropped = |error: RecordError| Err(error.into());
        match self {
            Self::Exec(exec) => exec.run(received, stopped).await,
            Self::Print(print) => tokio::select! {
                printed = print.run(received) => printed.map_err(WorkError::Fatal),
                error = stopped => dropped(error),
            },
            Self::Post(post) => tokio::select! {
                posted = post.run(received) => Ok(posted?),
                error = stopped => dropped(error),
            },
        }
    }
}

impl Work {
    /// Whether each message's line is printed by the work itself.
    pub(super) fn is_print(&self) -> bool {
        matches!(self, Self::Print(_))
    }
}
