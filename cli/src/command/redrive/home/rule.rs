//! Targets of rules and schedules that EventBridge could not reach.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_sdk_eventbridge::types::Target;
use sluicegate::events::{Origin as EventOrigin, read_scheduled_event};

use super::{Form, Home, Homes, Place};
use crate::dead_letter::Letter;

/// Scheduler writes the time and more in the place of these.
const CONTEXT: &str = "<aws.scheduler.";

impl Homes {
    /// The target of this ARN, if its dead-letter queue is this one.
    pub(super) async fn target_of_rule(&self, rule: &str, target: &str, letter: &Letter) -> anyhow::Result<Home> {
        let connection = &self.dlq.connection;
        let events = aws_sdk_eventbridge::Client::new(connection.config()?);
        // arn:aws:events:REGION:ACCOUNT:rule/NAME, and of a bus of one's own rule/BUS/NAME.
        let path = rule.split_once(":rule/").map(|(_, path)| path).context("they name no rule")?;
        let (bus, name) = path.rsplit_once('/').map_or((None, path), |(bus, name)| (Some(bus.to_owned()), name));
        let request = events.list_targets_by_rule().rule(name).set_event_bus_name(bus.clone());
        let answer = request.send().await.map_err(connection.refusal("events:ListTargetsByRule", name))?;
        let leads_here = |one: &Target| {
            one.arn() == target && one.dead_letter_config().and_then(|to| to.arn()) == Some(&*self.dlq_arn)
        };
        let mut found = answer.targets().iter().filter(|one| leads_here(one));
        let Some(only) = found.next() else {
            bail!("no target {target} of rule {name} names {} as its dead-letter queue", self.dlq.queue);
        };
        if found.next().is_some() || only.input_path().is_some() || only.input_transformer().is_some() {
            bail!("rule {name} makes what its target gets of the event, and that is not done here");
        }
        let mut home = self.target(target).await?;
        home.input = only.input().map(ToOwned::to_owned);
        if read_scheduled_event(&letter.record.body).is_ok_and(|event| event.origin == EventOrigin::Rule) {
            let answer = events.describe_rule().name(name).set_event_bus_name(bus).send().await;
            let answer = answer.map_err(connection.refusal("events:DescribeRule", name))?;
            home.period = answer.schedule_expression().and_then(period);
        }
        Ok(home)
    }

    /// The target of this ARN, if the schedule's dead-letter queue is this one.
    pub(super) async fn target_of_schedule(&self, schedule: &str, target: &str) -> anyhow::Result<Home> {
        let connection = &self.dlq.connection;
        // arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME
        let path = schedule.split_once(":schedule/").and_then(|(_, path)| path.split_once('/'));
        let (group, name) = path.context("they name no schedule")?;
        let request = aws_sdk_scheduler::Client::new(connection.config()?).get_schedule().group_name(group).name(name);
        let answer = request.send().await.map_err(connection.refusal("scheduler:GetSchedule", name))?;
        let own = answer.target().filter(|own| own.arn() == target);
        let leads_to = own.and_then(|own| own.dead_letter_config()?.arn());
        self.led_here(leads_to, || format!("the dead-letter queue of schedule {name}'s target {target}"))?;
        let mut home = self.target(target).await?;
        home.input = own.and_then(|own| own.input()).filter(|input| !input.contains(CONTEXT)).map(ToOwned::to_owned);
        home.period = answer.schedule_expression().and_then(period);
        Ok(home)
    }

    async fn target(&self, arn: &str) -> anyhow::Result<Home> {
        match arn.split(':').nth(2) {
            Some("lambda") => self.function(arn).await,
            Some("sqs") => {
                let reference = arn.parse().map_err(anyhow::Error::msg)?;
                let open = self.dlq.connection.queue(&reference).await?;
                Ok(Home::new(Place::Queue(open), Form::Body))
            }
            _ => bail!("their target {arn} is neither a function nor a queue"),
        }
    }
}

/// How often it ticks: `rate(5 minutes)`. A cron expression has no one period, and what ticks once is never too late.
fn period(expression: &str) -> Option<Duration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let minutes = match unit.trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    Some(Duration::from_mins(minutes * count.parse::<u64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_period() {
        assert_eq!(period("rate(1 minute)"), Some(Duration::from_mins(1)));
        assert_eq!(period("rate(2 hours)"), Some(Duration::from_hours(2)));
        assert_eq!((period("cron(0 8 * * ? *)"), period("at(2026-01-01T00:00:00)")), (None, None));
    }
}
