//! The work that the worker is given: it does what its message plans, and the world remembers that.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use sluicegate::{
    delivery::{RecordError, Work},
    events::Record,
    idempotency::Effect,
    testing::Host,
};
use tokio::time::sleep;

use crate::scenario::{Act, Planned};

/// What a message says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    /// The plan's number.
    pub(crate) number: usize,
    /// The name of its effect; blank where the business left it so.
    pub(crate) name: Option<String>,
    /// What else the work reads.
    pub(crate) payload: u64,
    /// Bytes that are there to fill a dead-letter queue's message.
    #[serde(default)]
    pub(crate) padding: String,
}

/// How often each message was tried, in all processes: the world's knowledge, not the worker's.
pub(crate) type Tried = Arc<Mutex<BTreeMap<usize, u32>>>;

/// Work in one process.
pub(crate) struct PlannedWork {
    pub(crate) host: Host,
    pub(crate) plan: Arc<Vec<Planned>>,
    pub(crate) tried: Tried,
    /// Set when the work kills the process.
    pub(crate) is_dead: Arc<AtomicBool>,
}

impl Work for PlannedWork {
    type Job<'r> = Body;

    fn read(&self, record: &Record) -> Result<Body, RecordError> {
        serde_json::from_str(&record.body).map_err(RecordError::reject)
    }

    fn effect(&self, _: &Record, body: &Body) -> Option<Effect> {
        let effect = Effect::named("job", &serde_json::json!(body.name.as_ref()?))?;
        Some(effect.of_payload(body.payload.to_string()))
    }

    #[allow(clippy::panic, reason = "the plan says so")]
    async fn run(&self, record: &Record, body: Body) -> Result<(), RecordError> {
        let Some(planned) = self.plan.iter().find(|planned| planned.number == body.number) else {
            return Err(RecordError::reject("not in the plan"));
        };
        let tries = {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            let count = tried.entry(planned.number).or_insert(0);
            *count += 1;
            *count
        };
        let work = self.host.work(&record.message_id);
        sleep(planned.takes).await;
        let outcome = match planned.act {
            Act::Succeed => Ok(()),
            Act::SucceedAt(from) if tries >= from => Ok(()),
            Act::SucceedAt(_) | Act::Fail => Err(RecordError::retry("planned to fail")),
            Act::Call => self.host.call("registry").await.map_err(RecordError::retry),
            Act::Reject => Err(RecordError::reject("planned to be rejected")),
            Act::Panic => {
                work.fail();
                panic!("planned to panic");
            }
            Act::Kill => {
                self.host.note("killed by its work");
                self.host.die();
                self.is_dead.store(true, Ordering::Relaxed);
                std::future::pending().await
            }
            Act::Hang => std::future::pending().await,
        };
        match outcome {
            Ok(()) => work.succeed(),
            Err(_) => work.fail(),
        }
        outcome
    }
}
