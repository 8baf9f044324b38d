//! Asynchronous invocation: Lambda's own queue, its retries and where they end.

use std::{rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::mpsc::UnboundedReceiver, task::spawn_local, time::sleep};

use super::{Function, Outcome, Request};
use crate::testing::{
    faults::Operation,
    history::What,
    service::Aws,
    sqs::{ACCOUNT, Outgoing, REGION},
};

/// L2.
const MAX_PAUSE: Duration = Duration::from_mins(5);

impl Function {
    /// Takes calls until the world ends. A call goes on whether or not its caller still waits.
    pub(in crate::testing) async fn take_calls(self: Rc<Self>, mut inbox: UnboundedReceiver<Request>) {
        while let Some(Request { payload, answer }) = inbox.recv().await {
            let function = self.clone();
            match answer {
                None => self.take_event(payload),
                Some(answer) => {
                    spawn_local(async move {
                        let outcome = function.run(&payload, Vec::new()).await;
                        // A caller that has gone does not mind.
                        answer.send(outcome).unwrap_or_default();
                    });
                }
            }
        }
    }

    /// Takes an event, which may then run twice (L3).
    pub(in crate::testing) fn take_event(self: &Rc<Self>, payload: String) {
        if self.aws.disputes.event_may_run_twice && self.connection.draws.happens(self.aws.rates().twice) {
            spawn_local(self.clone().run_event(payload.clone()));
        }
        spawn_local(self.clone().run_event(payload));
    }

    async fn run_event(self: Rc<Self>, payload: String) {
        let accepted_at = self.aws.now();
        let (mut failures, mut tries, mut pause) = (0, 0, Duration::from_secs(1));
        loop {
            // L4.
            if self.config.concurrency == 0 {
                return self.give_up(&payload, "ReservedConcurrencyZero", tries, None).await;
            }
            if self.aws.now() > accepted_at + self.config.max_event_age {
                return self.give_up(&payload, "EventAgeExceeded", tries, None).await;
            }
            match self.run(&payload, Vec::new()).await {
                Outcome::Answered(_) => return,
                // L2.
                Outcome::Throttled => {
                    sleep(self.connection.draws.time(pause / 2, pause)).await;
                    pause = (2 * pause).min(MAX_PAUSE);
                }
                // L1.
                Outcome::Failed(error) => {
                    (failures, tries) = (failures + 1, tries + 1);
                    if failures > self.config.retries {
                        return self.give_up(&payload, "RetriesExhausted", tries, Some(error)).await;
                    }
                    let about = u64::from(failures) * 60;
                    sleep(Duration::from_secs(self.connection.draws.between(about - 10, about + 10))).await;
                }
            }
        }
    }

    /// L5: the destination takes a record, or it is lost.
    async fn give_up(&self, payload: &str, condition: &str, tries: u32, error: Option<String>) {
        let name = &self.config.name;
        let record = json!({
            "version": "1.0",
            "requestContext": {
                "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:$LATEST"),
                "condition": condition,
                "approximateInvokeCount": tries,
            },
            "requestPayload": serde_json::from_str(payload).unwrap_or(Value::Null),
            "responsePayload": error.map(|error| json!({ "errorMessage": error })),
        });
        let mut is_kept = false;
        if let Some(queue) = &self.config.on_failure {
            let (queue, by) = (queue.clone(), "lambda".into());
            let outgoing = Outgoing::from(record.to_string().as_str());
            let name = queue.clone();
            let send =
                move |aws: &Aws| aws.queue(&name).is_some_and(|queue| queue.send(aws, &by, outgoing, None).is_ok());
            is_kept = self.connection.call(Operation::Send, &queue, send).await.unwrap_or(false);
        }
        self.aws.record(What::GivenUp { function: name.as_str().into(), is_kept });
    }
}
