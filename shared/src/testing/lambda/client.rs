//! Lambda as one host sees it: the port of `delivery`.

use tokio::sync::oneshot;

use super::{Outcome, Request, function::MAX_PAYLOAD_BYTES};
use crate::{
    delivery::{Invoke, InvokeError, TargetFunction},
    testing::{
        faults::Operation,
        history::Name,
        service::{Connection, Problem, locked},
    },
};

/// L6: bytes of an asynchronous request.
const MAX_EVENT_BYTES: usize = 1_048_576;

/// One function of the world, for one host.
#[derive(Debug, Clone)]
pub struct FunctionClient {
    pub(in crate::testing) connection: Connection,
    pub(in crate::testing) function: Name,
}

impl TargetFunction for FunctionClient {
    async fn invoke(&self, payload: &str, invoke: Invoke) -> Result<String, InvokeError> {
        let trip = self.connection.go(Operation::Invoke, &self.function).await.map_err(invoke_error)?;
        // L6, L7.
        let (limit, is_event) = match invoke {
            Invoke::Event => (MAX_EVENT_BYTES, true),
            Invoke::RequestResponse => (MAX_PAYLOAD_BYTES, false),
        };
        if payload.len() > limit {
            return Err(InvokeError::PayloadRefused("RequestTooLargeException".to_owned()));
        }
        let inbox = locked(&self.connection.aws.functions).get(&self.function).cloned();
        let inbox = inbox.ok_or_else(|| InvokeError::Refused("ResourceNotFoundException".to_owned()))?;
        let (answer, outcome) = oneshot::channel();
        let request = Request { payload: payload.to_owned(), answer: (!is_event).then_some(answer) };
        let gone = || InvokeError::Unanswered("the world has ended".to_owned());
        inbox.send(request).map_err(|_| gone())?;
        let outcome = if is_event { Outcome::Answered(String::new()) } else { outcome.await.map_err(|_| gone())? };
        trip.back().await.map_err(invoke_error)?;
        match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Failed(error) => Err(InvokeError::Failed(error)),
            Outcome::Throttled => Err(InvokeError::Throttled("TooManyRequestsException".to_owned())),
        }
    }
}

fn invoke_error(problem: Problem) -> InvokeError {
    let text = problem.text().to_owned();
    match problem {
        Problem::Throttled => InvokeError::Throttled(text),
        Problem::Refused => InvokeError::Refused(text),
        // A 5xx leaves open whether it ran.
        Problem::Unavailable | Problem::Unanswered => InvokeError::Unanswered(text),
    }
}
