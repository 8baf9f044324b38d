//! AWS having a bad day: a proxy between the functions and the local AWS answers 503, resets, hangs, and cuts answers
//! to calls that were carried out.
//!
//! The functions reach AWS through the address their server has in its environment, so these tests have a local AWS of
//! their own that names the proxy there. The tests themselves speak to it directly.

mod proxy;

use std::collections::{HashMap, HashSet};

use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
use serde_json::json;
use tokio::time::{Duration, Instant};

use self::proxy::Proxy;
use super::{
    Stack,
    job::{Job, run_mark, send},
    log::{Line, Log},
    own_stack::{OwnStack, free_port},
    queue,
    settings::Settings,
    thumbnails::upload,
    wait::eventually,
};

/// How often the test has the poller run, which the schedule does each minute.
const POLLER_PERIOD: Duration = Duration::from_secs(5);

/// Jobs for one queue: most are good, some come twice, some are bad, some fail once.
struct Load {
    queue: &'static str,
    dead_letter_queue: &'static str,
    mark: String,
    jobs: Vec<Job>,
}

impl Load {
    fn new(queue: &'static str, dead_letter_queue: &'static str, donors: usize) -> Self {
        let mark = run_mark(queue);
        let donor = |number: usize| Job::donor(&format!("{mark}-{number}."));
        let mut jobs: Vec<Job> = (0..donors).map(donor).collect();
        jobs.extend((0..donors / 10).map(donor));
        jobs.extend((0..10).map(|number| Job::nameless(&format!("{mark}-nameless-{number}."))));
        let fails_once = json!({"drill": "fail", "until_receive": 2});
        jobs.extend((0..10).map(|number| Job::drill(&format!("{mark}-fails-once-{number}."), fails_once.clone())));
        Self { queue, dead_letter_queue, mark, jobs }
    }

    fn donors(&self) -> HashSet<&str> {
        self.bodies(|job| job.kind == "NewDonor" && !job.body.contains("nameless"))
    }

    fn nameless(&self) -> HashSet<&str> {
        self.bodies(|job| job.body.contains("nameless"))
    }

    fn bodies(&self, which: impl Fn(&&Job) -> bool) -> HashSet<&str> {
        self.jobs.iter().filter(which).map(|job| job.body.as_str()).collect()
    }

    /// Every job that is not bad is settled, each donor is registered once, and the bad and no other are given up.
    async fn is_settled(&self, stack: &Stack, log: &mut Log<'_>, ids: &[String]) {
        let good = ids.iter().zip(&self.jobs).filter(|(_, job)| !job.body.contains("nameless"));
        let body_of: HashMap<&str, &str> = good.map(|(id, job)| (id.as_str(), job.body.as_str())).collect();
        eventually(&format!("every good job of {} to be settled", self.queue), async || {
            let lines = log.read().await.iter().filter(|line| line.says("job done") || line.says("job already done"));
            let settled: HashSet<&str> =
                lines.filter_map(|line| body_of.get(line.text("record.message_id"))).copied().collect();
            let open = body_of.values().collect::<HashSet<_>>().len() - settled.len();
            if open == 0 { Ok(()) } else { Err(format!("{open} are open")) }
        })
        .await;

        let lines = log.read().await;
        // The function says so where it could not keep in mind what it did: a copy of that is done again.
        let is_forgetful = lines.iter().any(|line| line.says("idempotency record not written"));
        let mut registered: HashMap<&str, usize> = HashMap::new();
        for line in lines.iter().filter(|line| line.says("donor registered")) {
            if let Some(&body) = body_of.get(line.text("record.message_id")) {
                *registered.entry(body).or_default() += 1;
            }
        }
        for donor in self.donors() {
            let times = registered.get(donor).copied().unwrap_or_default();
            assert!(times == 1 || times > 1 && is_forgetful, "{donor} was registered {times} times");
        }

        // A letter whose answer was lost is sent again: at least once, here too.
        let letters = queue::letters(stack, self.dead_letter_queue, &self.mark).await;
        let given_up: HashSet<&str> = letters.iter().map(queue::Letter::body).collect();
        assert_eq!(given_up, self.nameless());
        queue::nothing_given_up(stack, &self.mark, Some(self.dead_letter_queue)).await;
    }
}

/// With the template's maxReceiveCount: faults cost receives, and there are enough of them.
async fn prepare(stack: &Stack) {
    // What a dispatch leaves open is left to its visibility: a long poll and the worker's time, and no more.
    let settings = Settings::in_a_hurry("JobQueueUrl").with_poller_variable("VISIBILITY_SECONDS", "30").with_attribute(
        "PolledQueueUrl",
        VisibilityTimeout,
        "30",
    );
    // The bucket's test event is on its way since the deploy: new settings would end the process that has it in hand.
    let of_the_deploy = |_: &Line| true;
    Log::from_the_start(stack, "SqsWorkerFunctionName").line("test event acknowledged", of_the_deploy).await;
    queue::is_empty(stack, "JobQueueUrl").await;
    settings.apply(stack).await;
}

/// Runs the poller until its queue is empty.
async fn drain_polled_queue(stack: &Stack) {
    let poll = async || {
        let function = stack.output("ScheduledPollerFunctionName");
        stack.lambda.invoke().function_name(function).invocation_type(InvocationType::Event).send().await.unwrap();
        Instant::now()
    };
    let mut polled = poll().await;
    eventually("the polled queue to be empty", async || {
        if queue::count(stack, "PolledQueueUrl").await == 0 {
            return Ok(());
        }
        if polled.elapsed() > POLLER_PERIOD {
            polled = poll().await;
        }
        Err("not yet".to_owned())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_lost_or_done_twice_when_calls_to_aws_fail_hang_or_lose_their_answer() {
    let (port, proxy_port) = (free_port(), free_port());
    let functions_endpoint = format!("http://127.0.0.1:{proxy_port}");
    // Before the stack: a deploy sends the bucket's test event, and the worker that has it in hand calls AWS.
    let proxy = Proxy::start(proxy_port, port).await;
    let own = OwnStack::up("faults", &["--port", &port.to_string(), "--functions-endpoint", &functions_endpoint]);
    let stack = &own.stack;
    prepare(stack).await;
    proxy.inject().await;

    let mut log = Log::from_now(stack, "SqsWorkerFunctionName");
    let mapped = Load::new("JobQueueUrl", "JobDeadLetterQueueUrl", 300);
    let polled = Load::new("PolledQueueUrl", "PolledDeadLetterQueueUrl", 200);
    let mapped_ids = send(stack, mapped.queue, &mapped.jobs).await;
    let polled_ids = send(stack, polled.queue, &polled.jobs).await;
    // What is rejected after it was claimed: its claim is released.
    let pictures = run_mark("no-pictures");
    for number in 0..10 {
        upload(stack, &format!("{pictures}-{number}.jpg"), b"This is no image.".to_vec()).await;
    }
    drain_polled_queue(stack).await;
    queue::is_empty(stack, mapped.queue).await;
    eventually("ten dead letters of pictures that are none", async || {
        let letters = queue::letters(stack, "ThumbnailDeadLetterQueueUrl", &pictures).await;
        let bodies: HashSet<&str> = letters.iter().map(queue::Letter::body).collect();
        if bodies.len() == 10 { Ok(()) } else { Err(format!("{}", bodies.len())) }
    })
    .await;
    mapped.is_settled(stack, &mut log, &mapped_ids).await;
    polled.is_settled(stack, &mut log, &polled_ids).await;

    for (service, operation) in proxy::OPERATIONS {
        assert_eq!(proxy.kinds_met(operation).await, proxy::FAULTS, "{service} {operation}");
    }
}
