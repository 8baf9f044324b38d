//! Works on the jobs of a queue.
//!
//! What a message asks for is a job of the folder `job`; delivery, answers and settings of the queue are [`sluicegate::queue`]'s. A record
//! that is no JSON, of an unknown type, or panics fails alone.

mod job;

use sluicegate::{
    delivery::{RecordError, Work},
    events::Record,
    idempotency::Effect,
    settings::Settings,
};
use tokio::time::Instant;

pub use self::job::{JOB_TYPE, Job};

/// The work: whatever job a record asks for.
#[derive(Debug, Clone, Copy)]
pub struct Jobs {
    /// `ENABLE_DRILLS`, default false: whether jobs of type `Drill` run.
    pub enable_drills: bool,
}

impl Jobs {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        Some(Self { enable_drills: settings.or("ENABLE_DRILLS", false) })
    }
}

impl Work for Jobs {
    type Job<'r> = Job<'r>;

    fn read<'r>(&self, record: &'r Record) -> Result<Job<'r>, RecordError> {
        job::read(record).map_err(RecordError::reject)
    }

    fn effect(&self, _: &Record, job: &Job<'_>) -> Option<Effect> {
        job.effect()
    }

    fn name<'r>(&self, record: &'r Record) -> Option<&'r str> {
        job::read(record).ok().map(|job| job.name())
    }

    async fn run<'r>(&self, record: &'r Record, job: Job<'r>) -> Result<(), RecordError> {
        let (name, started) = (job.name(), Instant::now());
        job.run(*self, record).await?;
        tracing::info!(
            record.message_id = %record.message_id,
            job.r#type = name,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "job done"
        );
        Ok(())
    }
}
