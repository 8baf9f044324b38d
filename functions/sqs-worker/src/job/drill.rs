//! `Drill`: does as it is told, so that alarms, dead-letter queues and runbooks can be tried on a live stack.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use sluicegate::{delivery::RecordError, events::Record};

use super::{Job, Work};
use crate::config::Config;

/// Runs only where `ENABLE_DRILLS` is `true`; elsewhere it is rejected.
pub(crate) struct Drill;

#[derive(Debug, Deserialize)]
struct Order {
    drill: Act,
    /// Succeed from this delivery on.
    until_receive: Option<u32>,
    /// Sleep this long first.
    #[serde(default)]
    sleep_ms: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    Panic,
    Fail,
    Reject,
    Sleep,
    Succeed,
}

impl Job for Drill {
    fn name(&self) -> &'static str {
        "Drill"
    }

    fn fits(&self, _: &Record, body: &Value) -> bool {
        body.get("drill").is_some()
    }

    fn run<'a>(&self, config: &'a Config, record: &'a Record, body: &'a Value) -> Work<'a> {
        Box::pin(async move {
            if !config.enable_drills {
                return Err(RecordError::reject("drills are off: set ENABLE_DRILLS to true to run them"));
            }
            let order = Order::deserialize(body).map_err(RecordError::reject)?;
            tokio::time::sleep(Duration::from_millis(order.sleep_ms)).await;
            if order.until_receive.is_some_and(|receive| record.receive_count >= receive) {
                return Ok(());
            }
            act(order.drill)
        })
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
