//! From arguments to a consumer.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sluicegate::{
    clock::SystemClock,
    consumer::{Consumer, ConsumerError, Settings},
    delivery::{DeadLetterQueues, MAX_VISIBILITY, Policy, RetryPolicy},
};

use super::{
    Args,
    said::Said,
    work::{
        Work,
        exec::{Exec, Groups},
        post::Post,
        print::Print,
    },
};
use crate::{
    connection::OpenQueue,
    context::Context,
    queue_reference::QueueReference,
    redrive_policy::RedrivePolicy,
    stop::{Stop, at_a_forced_end},
};

const POST_TIMEOUT: Duration = Duration::from_mins(1);

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let connection = context.connect().await?;
    let open = connection.queue(&args.queue).await?;
    let redrive = redrive_policy(&open, context).await?;
    let dead_letters = match &args.dlq {
        Some(dlq) => Some(connection.queue(dlq).await?),
        None => dead_letter_queue(&open, redrive.as_ref()).await?,
    };
    let policy = policy(&open, dead_letters.as_ref(), redrive.as_ref());
    let groups = Groups::default();
    let output = context.output;
    let work = match (args.exec.split_first(), &args.post) {
        (Some((program, arguments)), _) => {
            Work::Exec(Exec { program: program.clone(), arguments: arguments.to_vec(), output, groups: groups.clone() })
        }
        (None, Some(url)) => Work::Post(Post::new(url, args.headers.clone(), SystemClock)),
        (None, None) => Work::Print(Print { output }),
    };
    let longest = if args.post.is_some() { POST_TIMEOUT } else { MAX_VISIBILITY };
    let mut settings = Settings::of(open.queue.clone());
    settings.concurrency = args.concurrency.into();
    settings.least_concurrency = args.min.into();
    settings.visibility = args.visibility;
    settings.wait = args.wait;
    settings.every = args.every;
    settings.max = args.max;
    settings.until_empty = args.until_empty;
    settings.timeout = args.timeout.unwrap_or(longest);
    settings.grace = args.grace;
    // Until here nothing is in hand, and a signal ends the process as it ends any.
    let mut stop = Stop::listen()?;
    let living = groups.clone();
    at_a_forced_end(move || living.kill());
    let said = Said { output, is_printed: work.is_print() };
    let consumer = Consumer::new(settings, open.adapter()?, policy, work).observed_by(said);
    let outcome = consumer.run(async || stop.requested().await).await;
    if outcome.is_ok() {
        groups.end().await;
    } else {
        groups.kill();
    }
    let outcome = outcome.map_err(|error| match error {
        ConsumerError::NotReceived(words) => open.refusal_in_words("sqs:ReceiveMessage", &words),
        ConsumerError::Handler(error) => error,
        error => anyhow::Error::msg(error.to_string()),
    });
    let tally = consumer.tally();
    if output.is_json() {
        let _ = output.json(&serde_json::json!({ "summary": tally }));
    } else {
        output.note(&tally.to_string());
    }
    outcome
}

fn policy(open: &OpenQueue, dead_letters: Option<&OpenQueue>, redrive: Option<&RedrivePolicy>) -> Policy {
    let urls = dead_letters.map(|dead| (open.queue.name().to_owned(), dead.queue.url().to_owned()));
    let max_receives = redrive.filter(|_| dead_letters.is_some()).map(|redrive| redrive.max_receives);
    Policy {
        retry: RetryPolicy { max_receives, ..RetryPolicy::default() },
        dead_letter_queues: DeadLetterQueues(urls.into_iter().collect()),
        region: open.sqs.config().region().map(ToString::to_string),
        ..Policy::default()
    }
}

/// Asks the queue, which also tells whether it exists. Who may not ask goes on without.
async fn redrive_policy(open: &OpenQueue, context: &Context) -> anyhow::Result<Option<RedrivePolicy>> {
    let request = open.sqs.get_queue_attributes().queue_url(open.queue.url());
    let answer = match request.attribute_names(QueueAttributeName::RedrivePolicy).send().await {
        Ok(answer) => answer,
        Err(error) if error.code().is_some_and(|code| code.contains("AccessDenied")) => {
            context.output.note(
                "AWS refused sqs:GetQueueAttributes: without --dlq, rejected messages are left to the queue's redrive policy",
            );
            return Ok(None);
        }
        Err(error) => return Err(open.refusal("sqs:GetQueueAttributes")(error)),
    };
    let text = answer.attributes.and_then(|mut found| found.remove(&QueueAttributeName::RedrivePolicy));
    Ok(text.and_then(|text| RedrivePolicy::read(&text)))
}

async fn dead_letter_queue(open: &OpenQueue, redrive: Option<&RedrivePolicy>) -> anyhow::Result<Option<OpenQueue>> {
    let Some(RedrivePolicy { arn, .. }) = redrive else { return Ok(None) };
    let reference: QueueReference = arn.parse().map_err(anyhow::Error::msg)?;
    open.connection.queue(&reference).await.map(Some)
}
