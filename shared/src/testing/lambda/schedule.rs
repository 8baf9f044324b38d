//! Schedules: `EventBridge` Scheduler with a function as its target.

use std::{rc::Rc, time::Duration};

use tokio::time::{sleep, sleep_until};

use super::Function;
use crate::testing::faults::Operation;

/// Invokes a function with `input` once a period, late by up to a minute or half the period, until the world ends (S10).
/// The target is accepted, not awaited; what is not accepted is tried again (S11).
pub(in crate::testing) async fn run_schedule(function: Rc<Function>, every: Duration, input: String) {
    let aws = function.aws.clone();
    let connection = aws.connection(&format!("schedule of {}", function.config.name));
    let lateness = connection.draws.time(Duration::ZERO, Duration::from_mins(1).min(every / 2));
    for tick in 1_u32.. {
        sleep_until(aws.start + every * tick + lateness).await;
        if connection.draws.happens(aws.rates().twice) {
            function.take_event(input.clone());
        }
        let mut pause = Duration::from_secs(1);
        loop {
            if let Ok(trip) = connection.go(Operation::Invoke, &function.config.name).await {
                function.take_event(input.clone());
                if trip.back().await.is_ok() {
                    break;
                }
            }
            sleep(pause).await;
            pause = (2 * pause).min(Duration::from_mins(5));
        }
    }
}
