//! All that lie in a queue: received, held for as long as that takes, and given back.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use futures::FutureExt;
use sluicegate::{
    aws::sqs::SqsQueue,
    delivery::{Attempts, MAX_ENTRIES, Receive, ReceivingQueue, SourceQueue, VisibilityChange, call_in_batches},
    events::{Queue, dispatch::Message},
};
use tokio::time::Instant;

use super::{Kind, Letter};
use crate::{connection::OpenQueue, counters, stop::Stop};

/// The shortest long poll: it asks all of SQS's servers.
const WAIT: Duration = Duration::from_secs(1);
/// While letters are gathered, none may come a second time. Ten more take some milliseconds, and here have a second.
const HOLD: Duration = Duration::from_secs(30);
/// Ten calls.
const AT_ONCE: usize = 100;
/// To settle so many at once.
const SETTLING: Duration = Duration::from_secs(20);

/// What was seen.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) letters: Vec<Letter>,
    /// All in the queue, as SQS counts: also those that somebody holds, and what was beyond the number to look at.
    pub(crate) total: u64,
    /// Could not be given back: they are visible again when their time is over.
    pub(crate) kept: usize,
    /// Made for it, an entry's second try aside.
    pub(crate) calls: usize,
}

impl Look {
    /// Looks at up to `max` letters. Each receive count is one higher then. What was received is given back whatever
    /// happens.
    pub(crate) async fn at(open: &OpenQueue, max: usize, stop: &mut Stop) -> anyhow::Result<Self> {
        let counters = counters::read(open).await?.counters;
        let visible = usize::try_from(counters.visible).unwrap_or(usize::MAX).min(max);
        let hidden_for = HOLD + Duration::from_secs(visible as u64 / MAX_ENTRIES as u64);
        let adapter = open.adapter()?;
        let (mut letters, mut held, mut receives) = (Vec::new(), HashMap::new(), 0);
        let gathering = async {
            while letters.len() < visible && stop.requested().now_or_never().is_none() {
                let receive = Receive { max_messages: MAX_ENTRIES, wait: WAIT, visibility: Some(hidden_for) };
                receives += 1;
                let messages = adapter.receive(&open.queue, &receive).await;
                let messages = messages.map_err(|error| open.refusal_in_words("sqs:ReceiveMessage", &error.message))?;
                let before = held.len();
                for message in messages {
                    let Message { message_id: Some(id), receipt_handle: Some(handle), .. } = &message else { continue };
                    if held.insert(id.clone(), handle.clone()).is_none() {
                        letters.extend(Letter::read(message));
                    }
                }
                if held.len() == before {
                    break;
                }
            }
            anyhow::Ok(())
        };
        let gathered = AssertUnwindSafe(gathering).catch_unwind().await;
        let kept = hide(&adapter, &open.queue, held.values(), Duration::ZERO).await;
        gathered.unwrap_or_else(|panic| resume_unwind(panic))?;
        let calls = 1 + receives + held.len().div_ceil(MAX_ENTRIES);
        Ok(Self { letters, total: counters.total(), kept, calls })
    }
}

/// Letters of one kind that are dead for one reason.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) kind: Kind,
    pub(crate) reason: String,
    /// The oldest first; at least one.
    pub(crate) letters: Vec<&'a Letter>,
}

/// The largest first.
pub(crate) fn groups(letters: &[Letter]) -> Vec<Group<'_>> {
    let mut found: BTreeMap<(Kind, String), Vec<&Letter>> = BTreeMap::new();
    for letter in letters {
        found.entry((letter.origin.kind(), letter.reason())).or_default().push(letter);
    }
    let mut groups: Vec<Group<'_>> =
        found.into_iter().map(|((kind, reason), letters)| Group { kind, reason, letters }).collect();
    for group in &mut groups {
        group.letters.sort_by_key(|letter| letter.record.sent_at);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.letters.len()));
    groups
}

/// Hides messages for so long from now on; says for how many it did not work. Whatever their number, each has the same
/// time; where the queue does not answer at all, no more are tried.
pub(crate) async fn hide(
    adapter: &SqsQueue,
    queue: &Queue,
    handles: impl Iterator<Item = &String>,
    timeout: Duration,
) -> usize {
    let change = |handle| VisibilityChange { receipt_handle: handle, timeout };
    let changes: Vec<VisibilityChange<'_>> = handles.map(String::as_str).map(change).collect();
    let change = async |batch: &[_]| adapter.change_visibility(queue, batch).await;
    let (mut kept, mut left) = (0, changes.len());
    for some in changes.chunks(AT_ONCE) {
        let failed = call_in_batches(some, |_| 0, settling(), change).await.iter().flatten().count();
        kept += failed;
        left -= some.len();
        if failed == some.len() {
            return kept + left;
        }
    }
    kept
}

/// How long deletes, and what gives messages back, may take.
pub(crate) fn settling() -> Attempts {
    Attempts { each: SETTLING / 4, until: Instant::now() + SETTLING }
}
