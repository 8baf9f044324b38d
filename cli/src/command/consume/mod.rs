//! `sluice consume`: a worker for as long as it runs.
//!
//! | module | what it settles |
//! |---|---|
//! | `work` | what is done with a message: `print`, `exec`, `post` |
//! | `said` | what is said of it |
//! | `setup` | from arguments to the toolkit's consumer, which receives, settles and stops |
//!
//! What becomes of a message is the toolkit's engine's to say: back-off, dead letters, heartbeat, order.

mod said;
mod setup;
mod work;

use std::time::Duration;

use crate::context::Context;
use crate::{quantity, queue_reference::QueueReference, usage::UsageError};

/// A message is deleted only after the work is done. While the work runs the message is kept invisible. What fails comes
/// back after 5 to 10 s, then 10 to 20, doubling with each failure up to 15 min; when the queue's redrive policy names
/// a dead-letter queue, the last failure goes there with its reason. From a FIFO queue the messages of a group are worked
/// on one after the other.
///
/// SIGTERM, SIGHUP or Ctrl-C: what is in hand is finished within --grace, the rest is given back at once, and a summary
/// printed; a second one ends at once. A message is given back when its command is no more.
///
/// Without --exec or --post the messages are printed, with --output json whole, as `sluice send --messages` takes them; what
/// cannot be printed is not deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = "A command gets the body on its standard input and the rest in its environment:\n  \
    SLUICE_QUEUE, SLUICE_QUEUE_URL, SLUICE_MESSAGE_ID, SLUICE_RECEIVE_COUNT; where there is one, SLUICE_SENT_AT\n  \
    (RFC 3339), SLUICE_SENDER_ID, SLUICE_GROUP_ID, SLUICE_DEDUPLICATION_ID, SLUICE_TRACE_HEADER; and\n  \
    SLUICE_ATTRIBUTE_… for each attribute, its name in capitals with _ for all but letters and digits\n  \
    (JobType: SLUICE_ATTRIBUTE_JOBTYPE), binary ones in base64.\n\
    Exit code 0 deletes the message, 65 (EX_DATAERR) rejects it, 75 (EX_TEMPFAIL) and all others retry it. The last line\n\
    of its stderr is the reason that its dead letter bears.\n\n\
    A URL gets the body by POST, and the same values as headers (sluice-message-id, sluice-attribute-jobtype, …).\n\
    2xx deletes the message; 400, 410, 413, 415 and 422 speak of the message and reject it; all else retries it, after\n\
    Retry-After where the answer has one. A wrong address or key (401, 403, 404) rejects nothing.\n\n\
    Example:\n  sluice consume jobs --exec ./handle-job\n  sluice consume jobs --until-empty --wait 1s\n  \
    sluice consume jobs --concurrency 20 --post http://127.0.0.1:8080/jobs")]
pub(crate) struct Args {
    /// The queue, by URL, ARN or name.
    queue: QueueReference,
    /// Work on so many messages (on a FIFO queue: groups) at once while there is a backlog.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// Work on so many at once when the queue is nearly empty.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    min: u16,
    /// How long a received message stays invisible; renewed while the work runs.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = quantity::whole_seconds_within(1..=43_200))]
    visibility: Duration,
    /// How long a receive waits for the first message.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = quantity::whole_seconds_within(0..=20))]
    wait: Duration,
    /// Begin one message in this time, and no more.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration_within(0..=43_200))]
    every: Option<Duration>,
    /// End after so many messages.
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    max: Option<u64>,
    /// End when a receive comes back empty and nothing is in hand.
    #[arg(long)]
    until_empty: bool,
    /// Where rejected messages go, instead of where the queue's redrive policy says.
    #[arg(long, value_name = "QUEUE")]
    dlq: Option<QueueReference>,
    /// How long one message may take before it is stopped and retried [default: 1m with --post, else 12h].
    #[arg(long, value_name = "TIME", value_parser = quantity::duration_within(1..=43_200))]
    timeout: Option<Duration>,
    /// When told to stop: how long what is in hand may take.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = quantity::duration_within(0..=43_200))]
    grace: Duration,
    /// Run this command for each message. Comes last: all that follows belongs to it.
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true, conflicts_with = "post")]
    exec: Vec<String>,
    /// Send each message there.
    #[arg(long, value_name = "URL", value_parser = work::post::url)]
    post: Option<String>,
    /// A header that goes with each; may be given again. A login in the URL is sent as one, too.
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "post", value_parser = work::post::header)]
    headers: Vec<(String, String)>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if args.min > args.concurrency {
        let Args { min, concurrency, .. } = args;
        anyhow::bail!(UsageError(format!("--min {min} is more than --concurrency {concurrency}")));
    }
    Box::pin(setup::run(args, context)).await
}
