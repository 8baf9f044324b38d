//! What leads where in an account, and where letters are left: found from the account's own configuration.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_eventbridge::types::Rule;
use aws_sdk_lambda::types::FunctionConfiguration;
use aws_sdk_s3::types::{LambdaFunctionConfiguration, QueueConfiguration, TopicConfiguration};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::{StreamExt, stream};
use sluicegate::events::Queue;

use crate::{
    connection::{Connection, OpenQueue, SdkFailure},
    counters::{self, Counters},
    redrive_policy::dead_letter_target,
};

/// So many calls at once, of each service.
const AT_ONCE: usize = 10;

/// One step of an event, by ARN. A bucket's ARN is made of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Whether only what failed goes this way.
    pub(crate) is_dead: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) edges: BTreeSet<Edge>,
    /// All queues, also those that nothing leads to, with what they hold.
    pub(crate) queues: HashMap<String, (Queue, Counters)>,
    /// Where AWS refused a look.
    pub(crate) problems: Vec<String>,
    pub(crate) calls: u64,
}

type Edges = Vec<Edge>;

impl Flow {
    /// Looks at what has a name that begins so, and what leads to it. Buckets only where they are asked for.
    pub(crate) async fn discover(connection: &Connection, prefix: &str, with_buckets: bool) -> Self {
        let look = Look { connection, prefix, calls: AtomicU64::new(0), problems: Mutex::default() };
        let buckets = async { if with_buckets { look.buckets().await } else { Ok(Edges::new()) } };
        let (queues, topics, functions, mappings, rules, schedules, buckets) = tokio::join!(
            look.queues(),
            look.subscriptions(),
            look.functions(),
            look.mappings(),
            look.rules(),
            look.schedules(),
            buckets
        );
        let mut flow = Self::default();
        let (queues, redrives) = queues.unwrap_or_else(|error| {
            flow.problems.push(format!("{error:#}"));
            Default::default()
        });
        flow.queues = queues;
        flow.edges.extend(redrives);
        for found in [topics, functions, mappings, rules, schedules, buckets] {
            match found {
                Ok(edges) => flow.edges.extend(edges),
                Err(error) => flow.problems.push(format!("{error:#}")),
            }
        }
        let is_meant = |arn: &str| name(arn).starts_with(prefix);
        flow.edges.retain(|edge| is_meant(&edge.from) || is_meant(&edge.to));
        flow.calls = look.calls.into_inner();
        flow.problems.extend(look.problems.into_inner().unwrap_or_else(PoisonError::into_inner));
        flow
    }

    /// By ARN.
    pub(crate) fn dead_letter_queues(&self) -> BTreeSet<&str> {
        let dead = self.edges.iter().filter(|edge| edge.is_dead && edge.to.contains(":sqs:"));
        dead.map(|edge| edge.to.as_str()).collect()
    }
}

/// The name at an ARN's end, without a version or alias.
pub(crate) fn name(arn: &str) -> &str {
    if let Some((_, function)) = arn.split_once(":function:") {
        return function.split(':').next().unwrap_or(function);
    }
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

fn step(from: &str, to: &str) -> Edge {
    Edge { from: from.to_owned(), to: plain(to), is_dead: false }
}

fn dead(from: &str, to: &str) -> Edge {
    Edge { is_dead: true, ..step(from, to) }
}

/// A function's ARN without its version or alias.
pub(crate) fn plain(arn: &str) -> String {
    match arn.split_once(":function:") {
        Some((before, name)) => format!("{before}:function:{}", name.split(':').next().unwrap_or(name)),
        None => arn.to_owned(),
    }
}

struct Look<'a> {
    connection: &'a Connection,
    prefix: &'a str,
    calls: AtomicU64,
    /// What single looks were refused for, each once.
    problems: Mutex<BTreeSet<String>>,
}

impl Look<'_> {
    /// The answer to a look at one thing. A refusal is remembered, since what leads to a dead-letter queue may be hidden
    /// by it; what is gone meanwhile leads nowhere.
    fn heard<T, E>(&self, answer: Result<T, E>, action: &'static str, subject: &str) -> Option<T>
    where
        E: SdkFailure + ProvideErrorMetadata,
    {
        let is_gone = |code: &str| ["NotFound", "NonExistent", "NoSuch"].iter().any(|word| code.contains(word));
        match answer {
            Ok(answer) => Some(answer),
            Err(error) if error.code().is_some_and(is_gone) => None,
            Err(error) => self.note(&self.connection.refusal(action, subject)(error)),
        }
    }

    fn note<T>(&self, error: &anyhow::Error) -> Option<T> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{error:#}"));
        None
    }

    fn calls(&self, count: usize) {
        self.calls.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn is_meant(&self, arn: &str) -> bool {
        name(arn).starts_with(self.prefix)
    }

    /// One look at each, some at a time.
    async fn each<T, R>(&self, all: Vec<T>, look: impl AsyncFn(T) -> Option<R>) -> Vec<R> {
        self.calls(all.len() + 1);
        stream::iter(all).map(|one| look(one)).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
    }

    async fn queues(&self) -> anyhow::Result<(HashMap<String, (Queue, Counters)>, Edges)> {
        let connection = self.connection;
        let sqs = connection.sqs()?;
        let open = |url: &String| {
            anyhow::Ok(OpenQueue { queue: Queue::from_url(url)?, sqs: sqs.clone(), connection: connection.clone() })
        };
        let all = connection.queue_urls(Some(self.prefix)).await?.iter().map(open).collect::<anyhow::Result<_>>()?;
        let read = async |open: OpenQueue| match counters::read(&open).await {
            Ok(reading) => Some((open, reading)),
            Err(error) if error.to_string().contains("does not exist") => None,
            Err(error) => self.note(&error),
        };
        let found = self.each(all, read).await;
        let mut queues = HashMap::new();
        let mut edges = Edges::new();
        for (open, reading) in found {
            let Some(arn) = reading.arn else { continue };
            edges.extend(reading.redrive_policy.map(|policy| dead(&arn, &policy.arn)));
            queues.insert(arn, (open.queue, reading.counters));
        }
        Ok((queues, edges))
    }

    async fn subscriptions(&self) -> anyhow::Result<Edges> {
        let sns = aws_sdk_sns::Client::new(self.connection.config()?);
        let mut pages = sns.list_subscriptions().into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(one) = pages.next().await {
            let one = one.map_err(self.connection.refusal("sns:ListSubscriptions", "this account's topics"))?;
            let is_meant = one.topic_arn().is_some_and(|arn| self.is_meant(arn))
                || one.endpoint().is_some_and(|endpoint| self.is_meant(endpoint));
            if is_meant {
                all.push(one);
            }
        }
        let found = self.each(all, async |one| {
            let (topic, endpoint) = (one.topic_arn()?, one.endpoint()?);
            let mut edges = vec![step(topic, endpoint)];
            if let Some(arn) = one.subscription_arn().filter(|arn| arn.starts_with("arn:")) {
                let answer = sns.get_subscription_attributes().subscription_arn(arn).send().await;
                let answer = self.heard(answer, "sns:GetSubscriptionAttributes", arn);
                let attributes = answer.and_then(|answer| answer.attributes).unwrap_or_default();
                let target = attributes.get("RedrivePolicy").and_then(|policy| dead_letter_target(policy));
                edges.extend(target.map(|target| dead(topic, &target)));
            }
            Some(edges)
        });
        Ok(found.await.concat())
    }

    async fn functions(&self) -> anyhow::Result<Edges> {
        let lambda = aws_sdk_lambda::Client::new(self.connection.config()?);
        let mut pages = lambda.list_functions().into_paginator().items().send();
        let mut all: Vec<FunctionConfiguration> = Vec::new();
        while let Some(one) = pages.next().await {
            all.push(one.map_err(self.connection.refusal("lambda:ListFunctions", "this account's functions"))?);
        }
        all.retain(|one| one.function_name().is_some_and(|name| name.starts_with(self.prefix)));
        let found = self.each(all, async |one| {
            let arn = one.function_arn()?;
            let older = one.dead_letter_config().and_then(|config| config.target_arn()).map(|target| dead(arn, target));
            let answer = lambda.list_function_event_invoke_configs().function_name(arn).send().await;
            let answer = self.heard(answer, "lambda:ListFunctionEventInvokeConfigs", arn);
            let configs = answer.and_then(|answer| answer.function_event_invoke_configs).unwrap_or_default();
            let targets = configs.iter().filter_map(|config| config.destination_config()?.on_failure()?.destination());
            Some(targets.map(|target| dead(arn, target)).chain(older).collect::<Edges>())
        });
        Ok(found.await.concat())
    }

    async fn mappings(&self) -> anyhow::Result<Edges> {
        let lambda = aws_sdk_lambda::Client::new(self.connection.config()?);
        let mut pages = lambda.list_event_source_mappings().into_paginator().items().send();
        self.calls(1);
        let mut found = Edges::new();
        while let Some(one) = pages.next().await {
            let one = one.map_err(self.connection.refusal("lambda:ListEventSourceMappings", "this account"))?;
            let (Some(source), Some(function)) = (one.event_source_arn(), one.function_arn()) else { continue };
            found.push(step(source, function));
            let target = one.destination_config().and_then(|config| config.on_failure()?.destination());
            found.extend(target.map(|target| dead(&plain(function), target)));
        }
        Ok(found)
    }

    async fn rules(&self) -> anyhow::Result<Edges> {
        let events = aws_sdk_eventbridge::Client::new(self.connection.config()?);
        let prefix = Some(self.prefix.to_owned()).filter(|prefix| !prefix.is_empty());
        let (mut all, mut token): (Vec<Rule>, Option<String>) = (Vec::new(), None);
        loop {
            let request = events.list_rules().set_name_prefix(prefix.clone()).set_next_token(token);
            let answer = request.send().await.map_err(self.connection.refusal("events:ListRules", "this account"))?;
            all.extend(answer.rules.unwrap_or_default());
            token = answer.next_token;
            if token.is_none() {
                break;
            }
        }
        let found = self.each(all, async |rule| {
            let (name, arn) = (rule.name()?, rule.arn()?);
            let answer = events.list_targets_by_rule().rule(name).send().await;
            let answer = self.heard(answer, "events:ListTargetsByRule", name)?;
            let mut edges: Edges =
                rule.event_pattern().and_then(bucket_of).map(|bucket| step(&bucket, arn)).into_iter().collect();
            for target in answer.targets() {
                edges.push(step(arn, target.arn()));
                edges.extend(target.dead_letter_config().and_then(|to| to.arn()).map(|queue| dead(arn, queue)));
            }
            Some(edges)
        });
        Ok(found.await.concat())
    }

    async fn schedules(&self) -> anyhow::Result<Edges> {
        let scheduler = aws_sdk_scheduler::Client::new(self.connection.config()?);
        let prefix = Some(self.prefix.to_owned()).filter(|prefix| !prefix.is_empty());
        let mut pages = scheduler.list_schedules().set_name_prefix(prefix).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(one) = pages.next().await {
            all.push(one.map_err(self.connection.refusal("scheduler:ListSchedules", "this account"))?);
        }
        let found = self.each(all, async |one| {
            let arn = one.arn()?;
            let request = scheduler.get_schedule().set_group_name(one.group_name.clone()).name(one.name()?);
            let target = self.heard(request.send().await, "scheduler:GetSchedule", arn)?.target?;
            let queue = target.dead_letter_config().and_then(|to| to.arn()).map(|queue| dead(arn, queue));
            Some([step(arn, target.arn())].into_iter().chain(queue).collect::<Edges>())
        });
        Ok(found.await.concat())
    }

    async fn buckets(&self) -> anyhow::Result<Edges> {
        let config = aws_sdk_s3::config::Builder::from(self.connection.config()?);
        // An emulator has no name for each bucket.
        let s3 = aws_sdk_s3::Client::from_conf(config.force_path_style(self.connection.endpoint().is_some()).build());
        let answer = s3.list_buckets().send().await;
        let answer = answer.map_err(self.connection.refusal("s3:ListAllMyBuckets", "this account"))?;
        let names = answer.buckets.unwrap_or_default().into_iter().filter_map(|bucket| bucket.name).collect();
        let found = self.each(names, async |name: String| {
            let answer = s3.get_bucket_notification_configuration().bucket(&name).send().await;
            // A bucket of another region answers there; it leads to no queue of this one.
            let answer = answer.ok()?;
            let topics = answer.topic_configurations().iter().map(TopicConfiguration::topic_arn);
            let queues = answer.queue_configurations().iter().map(QueueConfiguration::queue_arn);
            let functions =
                answer.lambda_function_configurations().iter().map(LambdaFunctionConfiguration::lambda_function_arn);
            let bucket = bucket_arn(&name);
            Some(topics.chain(queues).chain(functions).map(|to| step(&bucket, to)).collect::<Edges>())
        });
        Ok(found.await.concat())
    }
}

fn bucket_arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

/// The bucket whose events a rule's pattern asks for.
fn bucket_of(pattern: &str) -> Option<String> {
    let pattern: serde_json::Value = serde_json::from_str(pattern).ok()?;
    Some(bucket_arn(pattern["detail"]["bucket"]["name"][0].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::replay::replaying;

    /// A queue that may not be looked at could have a dead-letter queue: nobody is told that there is none.
    #[tokio::test]
    async fn what_may_not_be_looked_at_is_said_and_what_is_gone_is_not() {
        let refused = |code: &str| format!(r#"{{"__type": "com.amazonaws.sqs#{code}", "message": "no"}}"#);
        for (code, problems) in [("AccessDenied", 1), ("QueueDoesNotExist", 0)] {
            let queues = r#"{"QueueUrls": ["https://sqs.us-east-1.amazonaws.com/123456789012/jobs"]}"#.to_owned();
            let topics = "<ListSubscriptionsResponse><ListSubscriptionsResult/></ListSubscriptionsResponse>".to_owned();
            let nothing = || (200, "{}".to_owned());
            // The lists are asked for at once, in this order; then the one queue.
            let schedules = (200, r#"{"Schedules": []}"#.to_owned());
            let answers =
                [(200, queues), (200, topics), nothing(), nothing(), nothing(), schedules, (400, refused(code))];
            let (_, connection) = replaying("us-east-1", &answers);
            let flow = Flow::discover(&connection, "", false).await;
            assert_eq!(flow.problems.len(), problems, "{code}: {:?}", flow.problems);
        }
    }

    #[test]
    fn a_name_is_what_people_call_it() {
        for (arn, expected) in [
            ("arn:aws:sqs:us-east-1:1:jobs.fifo", "jobs.fifo"),
            ("arn:aws:lambda:us-east-1:1:function:worker:LIVE", "worker"),
            ("arn:aws:scheduler:us-east-1:1:schedule/group/poller", "poller"),
            ("arn:aws:s3:::photos", "photos"),
        ] {
            assert_eq!(name(arn), expected);
        }
        let pattern = r#"{"source": ["aws.s3"], "detail": {"bucket": {"name": ["photos"]}}}"#;
        assert_eq!(bucket_of(pattern).as_deref(), Some("arn:aws:s3:::photos"));
        assert_eq!(bucket_of(r#"{"source": ["aws.ec2"]}"#), None);
    }
}
