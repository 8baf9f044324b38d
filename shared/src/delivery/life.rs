//! The life of a record: claim, work, completion, settled.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::SemaphorePermit, time::Instant};

use super::{
    dead_letter::{NOTES, dead_letter},
    fate::Fate,
    in_flight::InFlight,
    port::{DeadLetterQueue, SourceQueue},
    report::Deletion,
    retry::{FailedTry, Next},
    run::{Run, Turn},
    settle::AtWork,
    work::{Work, panic_text, run_until},
};
use crate::{
    clock::Clock,
    deadline::Attempts,
    events::{EventSource, Record},
    idempotency::{Attempt, Claim, Claimed, Effect, IdempotencyStore, InProgress, OtherPayload, StoreError, Tries},
    random::Random,
    record_error::{Disposition, RecordError},
};

/// How far a record came before its turn ended.
pub(super) enum Progress {
    Ended(Ended),
    Suspected(Claim),
}

/// A fate, and whether the next record of its group may begin.
pub(super) struct Ended {
    pub(super) fate: Fate,
    pub(super) group_goes_on: bool,
}

/// How work ended.
enum Worked {
    Done,
    Failed(RecordError),
    TimeOver,
    HandleOver,
}

impl From<Fate> for Ended {
    fn from(fate: Fate) -> Self {
        Self { group_goes_on: fate.is_final(), fate }
    }
}

/// What work on a record holds while it goes on.
struct Held<'s, 'r, P> {
    claim: Option<Claim>,
    /// The try that was counted before the work began.
    ahead: Option<(Attempt, Tries)>,
    place: Option<SemaphorePermit<'s>>,
    at_work: AtWork<'s, 'r, P>,
}

/// Why work is not begun.
enum Unclaimed {
    Suspected(Claim),
    Duplicate,
    Failed(RecordError),
}

impl<'r, P, S, W> Run<'r, P, S, W>
where
    P: SourceQueue + DeadLetterQueue,
    S: IdempotencyStore,
    W: Work,
{
    /// One record, from its turn to its end.
    pub(super) async fn live(&self, message: &'r InFlight, turn: Turn, at_work: AtWork<'_, 'r, P>) -> Progress {
        let record = match &message.record {
            Ok(record) => record,
            Err(malformed) => {
                drop(at_work);
                let problem = RecordError::retry(malformed.problem.to_string());
                return Progress::Ended(self.unreadable(message, problem).await);
            }
        };
        // The semaphore is never closed.
        let place = self.places.acquire().await.ok();
        let turn = if turn == Turn::First && !self.takes_first_turn() { Turn::Later } else { turn };
        if !self.may_begin(turn) {
            // Neither the place nor the call must wait for another record that waits for this one.
            drop((place, at_work));
            self.settler.delay(message, Duration::ZERO).await;
            return Progress::Ended(Fate::NotStarted.into());
        }
        let job = match self.read(record) {
            Ok(job) => job,
            Err(error) => {
                self.returns(turn);
                drop((place, at_work));
                return Progress::Ended(self.failed(message, record, error, None, None).await);
            }
        };
        let claim = match self.claim(record, &job).await {
            Ok(claim) => claim,
            Err(progress) => {
                self.returns(turn);
                drop((place, at_work));
                return match progress {
                    Unclaimed::Suspected(claim) => Progress::Suspected(claim),
                    Unclaimed::Duplicate => Progress::Ended(self.done(message, Fate::Duplicate).await),
                    Unclaimed::Failed(error) => Progress::Ended(self.failed(message, record, error, None, None).await),
                };
            }
        };
        let worked = self.work(message, record, job).await;
        let held = Held { claim, ahead: None, place, at_work };
        Progress::Ended(self.settle(message, record, worked, held, turn).await)
    }

    /// A suspect: its try is counted before it begins, since it may not live to count it.
    pub(super) async fn suspect(&self, message: &'r InFlight, claim: Claim) -> Ended {
        let Ok(record) = &message.record else { return Fate::NotStarted.into() };
        if !self.may_begin(Turn::Alone) {
            return self.not_begun(message, &claim, Fate::NotStarted, Duration::ZERO).await;
        }
        let ahead = match self.count_ahead(record).await {
            Ok(ahead) => ahead,
            Err(error) => {
                let delay = self.engine.policy.retry.delay(record.receive_count, self.engine.random.fraction());
                return self.not_begun(message, &claim, Fate::Waiting(RecordError::retry(error)), delay).await;
            }
        };
        if let Some((_, tries)) = &ahead {
            let before = Tries { count: tries.count - 1, ..*tries };
            if self.engine.policy.retry.is_exhausted(before, self.engine.clock.now()) {
                let error = RecordError::retry(format!("its worker died {} times", before.count));
                return self.dead_letter(message, record, error, Fate::GivenUp, Some(claim)).await;
            }
        }
        let at_work = self.settler.begin();
        let job = match self.read(record) {
            Ok(job) => job,
            Err(error) => {
                drop(at_work);
                return self.failed(message, record, error, Some(claim), None).await;
            }
        };
        let worked = self.work(message, record, job).await;
        let held = Held { claim: Some(claim), ahead, place: None, at_work };
        self.settle(message, record, worked, held, Turn::Alone).await
    }

    /// Counts a try that may not live to be counted. Where others share the process, it may die of any of them.
    async fn count_ahead(&self, record: &Record) -> Result<Option<(Attempt, Tries)>, StoreError> {
        let Some(guard) = self.engine.guard.as_ref().filter(|_| !self.engine.policy.shares_process) else {
            return Ok(None);
        };
        let attempt = guard.attempt(&record.message_id);
        let tries = guard.count_try(&attempt, self.completing()).await?;
        Ok(Some((attempt, tries)))
    }

    /// A suspect that was not begun stays one for whoever comes next.
    async fn not_begun(&self, message: &'r InFlight, claim: &Claim, fate: Fate, delay: Duration) -> Ended {
        if let Some(guard) = &self.engine.guard {
            guard.leave(claim, self.completing()).await;
        }
        self.settler.delay(message, delay).await;
        fate.into()
    }

    fn takes_first_turn(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.first_turns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// A turn that came to no work is another's: else a record that hangs behind a suspect would never have all the time
    /// there is, and its failure never count.
    fn returns(&self, turn: Turn) {
        if turn == Turn::First {
            self.first_turns.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A record that began with the invocation has all the time there is. Another begins while the time left is more than
    /// the reserve and the longest work that was seen to finish.
    fn may_begin(&self, turn: Turn) -> bool {
        let longest = *self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        turn == Turn::First || self.deadline.budget() > longest
    }

    fn read(&self, record: &'r Record) -> Result<W::Job<'r>, RecordError> {
        catch_unwind(AssertUnwindSafe(|| self.work.read(record)))
            .unwrap_or_else(|panic| Err(RecordError::retry(panic_text(panic.as_ref()))))
    }

    /// Claims the record's effect, where there is a store.
    async fn claim(&self, record: &Record, job: &W::Job<'_>) -> Result<Option<Claim>, Unclaimed> {
        let Some(guard) = &self.engine.guard else { return Ok(None) };
        let effect = self.work.effect(record, job).unwrap_or_else(|| Effect::of_message(&record.message_id));
        let attempts = self.deadline.attempts(self.deadline.work_ends_at());
        let sent_at = record.sent_at.map(Into::into);
        match guard.claim(&effect, sent_at, self.deadline.remaining(), attempts).await {
            Ok(Claimed::Granted { claim, is_suspect: false }) => Ok(Some(claim)),
            Ok(Claimed::Granted { claim, is_suspect: true }) => Err(Unclaimed::Suspected(claim)),
            Ok(Claimed::Duplicate { .. }) => Err(Unclaimed::Duplicate),
            Ok(Claimed::OtherPayload) => Err(Unclaimed::Failed(RecordError::reject(OtherPayload))),
            Ok(Claimed::InProgress { left }) => Err(Unclaimed::Failed(RecordError::later(left, InProgress))),
            Err(error) => {
                let delay = self.engine.policy.retry.delay(record.receive_count, self.engine.random.fraction());
                Err(Unclaimed::Failed(RecordError::later(delay, error)))
            }
        }
    }

    /// Runs the work until it ends, or its time does. On a FIFO queue also until its handle does: from then on another
    /// consumer may have the group.
    async fn work(&self, message: &InFlight, record: &'r Record, job: W::Job<'r>) -> Worked {
        let began = Instant::now();
        let handle_over = async {
            if self.queue.is_fifo() {
                message.handle_over().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let work = run_until(self.deadline.work_ends_at(), async { self.work.run(record, job).await });
        let worked = tokio::select! {
            biased;
            outcome = work => match outcome {
                Some(Ok(())) => Worked::Done,
                Some(Err(error)) => Worked::Failed(error),
                None => Worked::TimeOver,
            },
            () = handle_over => Worked::HandleOver,
        };
        let took = began.elapsed();
        message.worked_for(took);
        if matches!(worked, Worked::Done | Worked::Failed(_)) {
            let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
            *longest = took.max(*longest);
        }
        worked
    }

    /// What follows the work: the store is told, then the queue.
    async fn settle(
        &self,
        message: &'r InFlight,
        record: &'r Record,
        worked: Worked,
        held: Held<'_, 'r, P>,
        turn: Turn,
    ) -> Ended {
        let Held { claim, ahead, place, at_work } = held;
        let failed = match &worked {
            Worked::Failed(error) => matches!(error.disposition(), Disposition::Retry(_)),
            Worked::TimeOver => turn == Turn::First,
            Worked::Done | Worked::HandleOver => false,
        };
        if let Some((guard, (attempt, _))) = self.engine.guard.as_ref().zip(ahead.as_ref()).filter(|_| !failed) {
            guard.take_back(attempt, self.completing()).await;
        }
        match worked {
            Worked::Done => {
                // In its place: the next may be a duplicate, which must find this one done and not in progress.
                let is_recorded = self.complete(claim.as_ref()).await;
                drop((place, at_work));
                let ended = self.done(message, Fate::Done).await;
                Ended { group_goes_on: ended.group_goes_on && is_recorded, ..ended }
            }
            Worked::Failed(error) => {
                drop((place, at_work));
                self.failed(message, record, error, claim, ahead).await
            }
            Worked::TimeOver if turn == Turn::First => {
                drop((place, at_work));
                let error = RecordError::retry("stopped: it takes longer than an invocation");
                self.failed(message, record, error, claim, ahead).await
            }
            Worked::TimeOver => {
                drop((place, at_work));
                self.release(claim.as_ref()).await;
                let delay = self.engine.policy.retry.delay(Some(1), self.engine.random.fraction());
                self.settler.delay(message, delay).await;
                Fate::OutOfTime.into()
            }
            Worked::HandleOver => {
                self.release(claim.as_ref()).await;
                Fate::Abandoned.into()
            }
        }
    }

    /// Work that is done. From a mapping that is all: Lambda deletes it.
    async fn done(&self, message: &'r InFlight, fate: Fate) -> Ended {
        let is_fifo = self.queue.is_fifo();
        let group_goes_on = match self.source {
            EventSource::Mapping => !(is_fifo && message.handle_is_over()),
            EventSource::Dispatch => !(self.settler.delete(message).await == Deletion::Failed && is_fifo),
        };
        Ended { fate, group_goes_on }
    }

    /// What a handler answers for a record that it could not do.
    async fn failed(
        &self,
        message: &'r InFlight,
        record: &'r Record,
        error: RecordError,
        claim: Option<Claim>,
        ahead: Option<(Attempt, Tries)>,
    ) -> Ended {
        let asked = match error.disposition() {
            Disposition::Reject => return self.dead_letter(message, record, error, Fate::Rejected, claim).await,
            Disposition::Later(delay) => {
                self.release(claim.as_ref()).await;
                self.settler.delay(message, delay).await;
                return Fate::Waiting(error).into();
            }
            Disposition::Retry(asked) => asked,
        };
        let tries = match ahead {
            Some((_, tries)) => Some(tries),
            None => self.count_try(record).await,
        };
        match self.engine.policy.retry.after(self.failed_try(message, tries, asked)) {
            Next::GiveUp => self.dead_letter(message, record, error, Fate::GivenUp, claim).await,
            Next::Again(delay) => {
                self.release(claim.as_ref()).await;
                self.settler.delay(message, delay).await;
                Fate::Retry(error).into()
            }
        }
    }

    /// A record that cannot be read has no body for a dead letter: it comes again until the queue moves it, whole.
    async fn unreadable(&self, message: &'r InFlight, problem: RecordError) -> Ended {
        let failed = FailedTry { receive_count: None, sent_at: None, ..self.failed_try(message, None, None) };
        if let Next::Again(delay) = self.engine.policy.retry.after(failed) {
            self.settler.delay(message, delay).await;
        }
        Fate::Retry(problem).into()
    }

    fn failed_try(&self, message: &InFlight, tries: Option<Tries>, asked: Option<Duration>) -> FailedTry {
        let sent_at = message.record.as_ref().ok().and_then(|record| record.sent_at).map(Into::into);
        let (at, jitter) = (self.engine.clock.now(), self.engine.random.fraction());
        FailedTry { tries, receive_count: message.receive_count(), sent_at, asked, at, jitter }
    }

    /// The dead letter first, then our own delete whoever deletes what is done, then the release of its claim: whatever fails or dies in
    /// between, the message is in one of the two queues.
    async fn dead_letter(
        &self,
        message: &'r InFlight,
        record: &'r Record,
        error: RecordError,
        fate: fn(RecordError) -> Fate,
        claim: Option<Claim>,
    ) -> Ended {
        let dead_letter = dead_letter(record, self.queue, self.engine.policy.region.as_deref(), &error);
        if let Some(failure) = self.settler.send(dead_letter, &NOTES).await {
            tracing::error!(record.message_id = %record.message_id, reason = %error, error = %failure, "dead letter not sent");
            self.release(claim.as_ref()).await;
            let delay = self.engine.policy.retry.delay(record.receive_count, self.engine.random.fraction());
            self.settler.delay(message, delay).await;
            return Fate::Retry(error).into();
        }
        let is_deleted = self.settler.delete(message).await != Deletion::Failed;
        self.release(claim.as_ref()).await;
        Ended { fate: fate(error), group_goes_on: is_deleted }
    }

    async fn count_try(&self, record: &Record) -> Option<Tries> {
        let (id, memory) = (&record.message_id, &self.engine.tries);
        let counted = if let Some(guard) = &self.engine.guard {
            guard.count_try(&guard.attempt(id), self.completing()).await
        } else {
            memory.count_try(&memory.attempt(id), self.completing()).await
        };
        counted
            .inspect_err(|error| tracing::warn!(record.message_id = %record.message_id, %error, "try not counted"))
            .ok()
    }

    async fn complete(&self, claim: Option<&Claim>) -> bool {
        match self.engine.guard.as_ref().zip(claim) {
            Some((guard, claim)) => guard.complete(claim, self.completing()).await,
            None => true,
        }
    }

    async fn release(&self, claim: Option<&Claim>) {
        if let Some((guard, claim)) = self.engine.guard.as_ref().zip(claim) {
            guard.release(claim, self.completing()).await;
        }
    }

    fn completing(&self) -> Attempts {
        self.deadline.attempts(self.deadline.completion_ends_at())
    }
}
