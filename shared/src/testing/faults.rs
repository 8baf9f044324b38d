//! What goes wrong, as data.

use std::time::Duration;

use super::seed::Stream;

/// What is asked of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `ReceiveMessage`.
    Receive,
    /// `DeleteMessageBatch`, by a function, a consumer or a mapping.
    Delete,
    /// `ChangeMessageVisibilityBatch`.
    ChangeVisibility,
    /// `SendMessageBatch`.
    Send,
    /// `Invoke`, by a function, a mapping or a schedule.
    Invoke,
    /// Any call of an idempotency store.
    Store,
    /// A call that a handler makes of its own.
    Downstream,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes seconds; it is done and answered.
    Slow,
    /// Too many calls at this moment; not done.
    Throttled,
    /// Not allowed; not done.
    Refused,
    /// The service has an error of its own; not done.
    Unavailable,
    /// Not done and never answered.
    Hung,
    /// Done, and the answer lost: an error, or no answer at all.
    AnswerLost,
    /// Done seconds later, whether or not the caller still waits; never answered.
    Late,
    /// Some entries of a batch call are not done.
    Partial,
}

/// How often things go wrong, each in ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Calls that are [`Fault::Slow`].
    pub slow: u32,
    /// Calls that are [`Fault::Throttled`].
    pub throttled: u32,
    /// Calls that are [`Fault::Refused`].
    pub refused: u32,
    /// Calls that are [`Fault::Unavailable`].
    pub unavailable: u32,
    /// Calls that are [`Fault::Hung`].
    pub hung: u32,
    /// Calls that are [`Fault::AnswerLost`].
    pub answer_lost: u32,
    /// Calls that are [`Fault::Late`].
    pub late: u32,
    /// Entries of batch calls that fail: [`Fault::Partial`].
    pub partial: u32,
    /// Invocations whose process dies at a random await: memory, a crash, a host that is gone.
    pub kill: u32,
    /// Receives from a standard queue that also give a message which another consumer holds (V6).
    pub duplicate: u32,
    /// Receives that give messages out of order, on FIFO groups out of order (P5, P9), and short polls that see only some (P1).
    pub disorder: u32,
    /// Long polls that come back empty though messages are there (P3); only where [`super::Disputes::false_empty`].
    pub false_empty: u32,
    /// Deletes on standard queues that are forgotten (H4); only where [`super::Disputes::delete_may_be_forgotten`].
    pub forgotten_delete: u32,
    /// A mapping's receives whose batch is never invoked (C4).
    pub lost_receive: u32,
    /// Ticks of a schedule and asynchronous events that come twice (S10, L3).
    pub twice: u32,
}

impl Rates {
    /// The rates one by one, for drawing and shrinking.
    fn each(&mut self) -> [&mut u32; 15] {
        [
            &mut self.slow,
            &mut self.throttled,
            &mut self.refused,
            &mut self.unavailable,
            &mut self.hung,
            &mut self.answer_lost,
            &mut self.late,
            &mut self.partial,
            &mut self.kill,
            &mut self.duplicate,
            &mut self.disorder,
            &mut self.false_empty,
            &mut self.forgotten_delete,
            &mut self.lost_receive,
            &mut self.twice,
        ]
    }
}

/// A time in which every call of one kind fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Which calls.
    pub operation: Operation,
    /// The name of the queue, function, table or downstream; `None` for all.
    pub target: Option<String>,
    /// When it begins, since the world's start.
    pub from: Duration,
    /// When it is over.
    pub to: Duration,
    /// How the calls fail: throttled, refused, unavailable or hung.
    pub fault: Fault,
}

/// All that goes wrong in a world, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultPlan {
    /// How often things go wrong until then.
    pub rates: Rates,
    /// What is away, and when.
    pub outages: Vec<Outage>,
    /// From here on nothing goes wrong: everything can drain. Since the world's start.
    pub until: Duration,
    /// After how long a client gives up on a call that nobody answers, as an SDK's read time-out does; `None`: never.
    pub answer_timeout: Option<Duration>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Draws a plan that ends at `until`: half of the rates are zero, the others at most 5 %, and up to three of the
    /// targets are away for some minutes each.
    #[must_use]
    pub fn draw(draws: &Stream, until: Duration, targets: &[(Operation, &str)]) -> Self {
        let mut rates = Rates::default();
        for rate in rates.each() {
            if draws.flip() {
                *rate = u32::try_from(draws.between(1, 500)).unwrap_or(0);
            }
        }
        let count = if targets.is_empty() { 0 } else { draws.between(0, 3) };
        let outages = (0..count)
            .map(|_| {
                let (operation, target) = targets[draws.place(targets.len())];
                let from = draws.time(Duration::ZERO, until);
                let to = (from + draws.time(Duration::from_secs(1), Duration::from_mins(10))).min(until);
                let fault = [Fault::Throttled, Fault::Refused, Fault::Unavailable, Fault::Hung][draws.place(4)];
                Outage { operation, target: Some(target.to_owned()), from, to, fault }
            })
            .collect();
        Self { rates, outages, until, answer_timeout: None }
    }

    /// Plans with a little less going wrong, the largest steps first: what shrinking tries.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut plans = Vec::new();
        if self.rates != Rates::default() {
            plans.push(Self { rates: Rates::default(), ..self.clone() });
        }
        for index in 0..self.outages.len() {
            let mut plan = self.clone();
            plan.outages.remove(index);
            plans.push(plan);
        }
        for index in 0..Rates::default().each().len() {
            let mut plan = self.clone();
            if std::mem::take(plan.rates.each()[index]) != 0 {
                plans.push(plan);
            }
        }
        for (index, outage) in self.outages.iter().enumerate() {
            let length = outage.to.saturating_sub(outage.from);
            if length > Duration::from_secs(10) {
                let mut plan = self.clone();
                plan.outages[index].to = outage.from + length / 2;
                plans.push(plan);
            }
        }
        plans
    }

    /// The rates at this time.
    #[must_use]
    pub fn rates_at(&self, now: Duration) -> Rates {
        if now < self.until { self.rates } else { Rates::default() }
    }

    /// How calls like this one fail at this time.
    pub(super) fn outage(&self, now: Duration, operation: Operation, target: &str) -> Option<Fault> {
        let is_away = |outage: &&Outage| {
            outage.operation == operation
                && (outage.from..outage.to).contains(&now)
                && outage.target.as_deref().is_none_or(|name| name == target)
        };
        self.outages.iter().find(is_away).map(|outage| outage.fault)
    }

    /// What happens to one call at this time.
    pub(super) fn fault(&self, now: Duration, draws: &Stream) -> Option<Fault> {
        let rates = self.rates_at(now);
        let mut left = u32::try_from(draws.between(0, 9_999)).unwrap_or(0);
        for (rate, fault) in [
            (rates.slow, Fault::Slow),
            (rates.throttled, Fault::Throttled),
            (rates.refused, Fault::Refused),
            (rates.unavailable, Fault::Unavailable),
            (rates.hung, Fault::Hung),
            (rates.answer_lost, Fault::AnswerLost),
            (rates.late, Fault::Late),
        ] {
            match left.checked_sub(rate) {
                None => return Some(fault),
                Some(rest) => left = rest,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_ends_and_shrinks_to_nothing() {
        let until = Duration::from_hours(1);
        for seed in 0..50 {
            let plan = FaultPlan::draw(&Stream::new(seed), until, &[(Operation::Store, "done")]);
            assert!(plan.outages.iter().all(|outage| outage.to <= until));
            assert_eq!(plan.rates_at(until), Rates::default());
            let mut smaller = plan;
            let mut steps = 0;
            while let Some(next) = smaller.smaller().into_iter().next() {
                smaller = next;
                steps += 1;
            }
            assert!(smaller.outages.is_empty() && smaller.rates == Rates::default() && steps <= 4);
        }
    }

    #[test]
    fn an_outage_is_of_one_target_or_of_all() {
        let outage = |target: Option<&str>| FaultPlan {
            outages: vec![Outage {
                operation: Operation::Send,
                target: target.map(str::to_owned),
                from: Duration::from_secs(1),
                to: Duration::from_secs(2),
                fault: Fault::Hung,
            }],
            ..FaultPlan::none()
        };
        let at = |plan: &FaultPlan, seconds| plan.outage(Duration::from_secs(seconds), Operation::Send, "dead");
        assert_eq!([0, 1, 2].map(|second| at(&outage(Some("dead")), second)), [None, Some(Fault::Hung), None]);
        assert_eq!((at(&outage(None), 1), at(&outage(Some("jobs")), 1)), (Some(Fault::Hung), None));
    }
}
