//! Settings of the stack that a test changes for itself.

use std::{collections::HashMap, panic::AssertUnwindSafe, pin::Pin};

use aws_sdk_lambda::types::Environment;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::FutureExt;

use super::{Stack, queue, wait::eventually};

/// How the worker and its queues are to be set.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The worker's time limit, and with it the lease of what it claims.
    pub(crate) worker_timeout_seconds: Option<i32>,
    pub(crate) worker_environment: Vec<(String, String)>,
    pub(crate) poller_environment: Vec<(String, String)>,
    /// By the output that names the queue.
    pub(crate) queue_attributes: Vec<(&'static str, QueueAttributeName, String)>,
}

impl Settings {
    /// Messages come back within seconds, and the deadlines are as near: what would take an hour takes a minute.
    pub(crate) fn in_a_hurry(queue: &'static str) -> Self {
        Self {
            worker_timeout_seconds: Some(8),
            worker_environment: [
                ("RETRY_INITIAL_SECONDS", "1"),
                ("RETRY_MAX_SECONDS", "4"),
                ("HORIZON_SECONDS", "0"),
                ("MAX_TRIES", "5"),
                ("VISIBILITY_SECONDS", "10"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            poller_environment: Vec::new(),
            queue_attributes: vec![(queue, QueueAttributeName::VisibilityTimeout, "10".to_owned())],
        }
    }

    /// Sets a variable of the worker's environment.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.worker_environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a variable of the poller's environment.
    pub(crate) fn with_poller_variable(mut self, name: &str, value: &str) -> Self {
        self.poller_environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the worker's time limit.
    pub(crate) fn with_timeout_seconds(mut self, seconds: i32) -> Self {
        self.worker_timeout_seconds = Some(seconds);
        self
    }

    /// Sets a queue's attribute.
    pub(crate) fn with_attribute(mut self, queue: &'static str, name: QueueAttributeName, value: &str) -> Self {
        self.queue_attributes.push((queue, name, value.to_owned()));
        self
    }

    /// Runs `work` under these settings and puts back what was before, whatever becomes of it.
    pub(crate) fn during<'a>(
        self,
        stack: &'a Stack,
        work: impl Future<Output = ()> + 'a,
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        let during = async move {
            // New settings mean new processes: what an old one has in hand would come back only when its visibility ends.
            for queue in ["JobQueueUrl", "PolledQueueUrl", "OrderedQueueUrl"] {
                queue::is_empty(stack, queue).await;
            }
            let before = self.apply(stack).await;
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            before.apply(stack).await;
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        };
        Box::pin(during)
    }

    /// Applies them and answers what was before.
    pub(crate) async fn apply(self, stack: &Stack) -> Self {
        let mut before = self.apply_to_worker(stack).await;
        for (queue, name, value) in self.queue_attributes {
            let url = stack.output(queue);
            let asked = stack.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
            let old = asked.send().await.unwrap().attributes.unwrap_or_default().remove(&name);
            before.queue_attributes.push((queue, name.clone(), old.unwrap()));
            stack.sqs.set_queue_attributes().queue_url(url).attributes(name, value).send().await.unwrap();
        }
        before
    }

    /// Answers what was before.
    async fn apply_to_worker(&self, stack: &Stack) -> Self {
        let (function, timeout) = (stack.output("SqsWorkerFunctionName"), self.worker_timeout_seconds);
        let (worker_environment, worker_timeout_seconds) =
            apply_to(stack, function, &self.worker_environment, timeout).await;
        let poller_environment = if self.poller_environment.is_empty() {
            Vec::new()
        } else {
            let function = stack.output("ScheduledPollerFunctionName");
            apply_to(stack, function, &self.poller_environment, None).await.0
        };
        Self { worker_timeout_seconds, worker_environment, poller_environment, queue_attributes: Vec::new() }
    }
}

/// Adds to a function's environment and sets its time limit. Answers what was before; what was added is put back as empty,
/// which counts as not set.
async fn apply_to(
    stack: &Stack,
    function: &str,
    environment: &[(String, String)],
    timeout: Option<i32>,
) -> (Vec<(String, String)>, Option<i32>) {
    let old = stack.lambda.get_function_configuration().function_name(function).send().await.unwrap();
    let old_variables = old.environment.and_then(|environment| environment.variables).unwrap_or_default();
    let mut variables: HashMap<String, String> = old_variables.clone();
    variables.extend(environment.iter().cloned());
    let added = environment.iter().filter(|(name, _)| !old_variables.contains_key(name));
    let added: Vec<_> = added.map(|(name, _)| (name.clone(), String::new())).collect();
    stack
        .lambda
        .update_function_configuration()
        .function_name(function)
        .environment(Environment::builder().set_variables(Some(variables)).build())
        .set_timeout(timeout)
        .send()
        .await
        .unwrap();
    eventually("the function's new settings", async || {
        let now = stack.lambda.get_function_configuration().function_name(function).send().await.unwrap();
        match now.last_update_status {
            Some(status) if status.as_str() != "Successful" => Err(status.to_string()),
            _ => Ok(()),
        }
    })
    .await;
    (old_variables.into_iter().chain(added).collect(), old.timeout)
}
