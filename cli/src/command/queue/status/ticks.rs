//! `--watch` into a pipe: the same lines, or one object, each tick.

use std::time::Duration;

use serde::Serialize;
use sluicegate::clock::{Clock, SystemClock};
use tokio::time::{MissedTickBehavior, interval};

use crate::counters::{self, Counters};
use crate::{connection::OpenQueue, output::Output, stop::Stop};

/// One queue at one tick.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScheduledEvent<'a> {
    /// Milliseconds since 1970.
    timestamp_ms: u64,
    queue: &'a str,
    #[serde(flatten)]
    counters: Counters,
}

/// Prints until told to stop, or until nobody reads any more.
pub(crate) async fn run(queues: &[OpenQueue], every: Duration, output: Output) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.requested() => return Ok(()),
            _ = ticks.tick() => {}
        }
        for open in queues {
            let counters = tokio::select! {
                () = stop.requested() => return Ok(()),
                reading = counters::read(open) => reading?.counters,
            };
            print(open.queue.name(), counters, output)?;
            tokio::select! {
                () = stop.requested() => return Ok(()),
                printed = output.delivered() => printed?,
            }
        }
    }
}

fn print(queue: &str, counters: Counters, output: Output) -> anyhow::Result<()> {
    if !output.is_json() {
        output.line(&lines(counters));
        return Ok(());
    }
    let since_1970 = SystemClock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let timestamp_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
    output.json(&ScheduledEvent { timestamp_ms, queue, counters })
}

/// Scripts read these three lines and the blank one.
fn lines(counters: Counters) -> String {
    let Counters { visible, in_flight, delayed } = counters;
    format!(
        "{visible} ApproximateNumberOfMessages\n{in_flight} ApproximateNumberOfMessagesNotVisible\n\
         {delayed} ApproximateNumberOfMessagesDelayed\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_three_lines_and_a_blank_one() {
        let lines = lines(Counters { visible: 7, in_flight: 2, delayed: 1 });
        assert_eq!(
            format!("{lines}\n"),
            "7 ApproximateNumberOfMessages\n2 ApproximateNumberOfMessagesNotVisible\n\
             1 ApproximateNumberOfMessagesDelayed\n\n"
        );
    }
}
