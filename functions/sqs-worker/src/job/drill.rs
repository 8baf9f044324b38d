//! `Drill`: does as it is told, so that alarms, dead-letter queues and runbooks can be tried on a live stack.

use std::{fmt, time::Duration};

use sluicegate::{
    delivery::RecordError,
    events::{Ignored, Record, json::Field},
};

use super::ReadError;
use crate::Jobs;

/// What a drill may be, as producers write it.
pub(super) const ACTS: &str = "panic, fail, reject, sleep, succeed";

/// Runs only where `ENABLE_DRILLS` is `true`; elsewhere it is rejected.
#[derive(Debug)]
pub struct Drill {
    act: Act,
    /// Succeed from this delivery on.
    until_receive: Option<i64>,
    /// Sleep this long first.
    sleep: Duration,
    ignored: Ignored,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Panic,
    Fail,
    Reject,
    Sleep,
    Succeed,
}

impl Drill {
    pub(super) fn read(act: &Field<'_>, until_receive: &Field<'_>, sleep_ms: &Field<'_>) -> Result<Self, ReadError> {
        let act = match &*act.needed("drill")? {
            "panic" => Act::Panic,
            "fail" => Act::Fail,
            "reject" => Act::Reject,
            "sleep" => Act::Sleep,
            "succeed" => Act::Succeed,
            _ => return Err(ReadError::UnknownDrill),
        };
        let mut ignored = Ignored::default();
        let sleep_ms = sleep_ms.integer(&mut ignored).and_then(|ms| u64::try_from(ms).ok());
        let sleep = Duration::from_millis(sleep_ms.unwrap_or_default());
        Ok(Self { act, until_receive: until_receive.integer(&mut ignored), sleep, ignored })
    }

    pub(super) async fn run(self, jobs: Jobs, record: &Record) -> Result<(), RecordError> {
        if !jobs.enable_drills {
            return Err(RecordError::reject("drills are off: set ENABLE_DRILLS to true to run them"));
        }
        self.ignored.warn_of(&record.message_id);
        tokio::time::sleep(self.sleep).await;
        let receives = i64::from(record.receive_count.unwrap_or(1));
        if self.until_receive.is_some_and(|receive| receives >= receive) {
            return Ok(());
        }
        act(self.act)
    }
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act = format!("{:?}", self.act).to_lowercase();
        write!(f, "({act}), where ENABLE_DRILLS is true; elsewhere it is rejected")
    }
}

#[allow(clippy::panic, reason = "the drill is to panic")]
fn act(order: Act) -> Result<(), RecordError> {
    match order {
        Act::Panic => panic!("a drill"),
        Act::Fail => Err(RecordError::retry("a drill")),
        Act::Reject => Err(RecordError::reject("a drill")),
        Act::Sleep | Act::Succeed => Ok(()),
    }
}
