//! The age of a queue's oldest message.
//!
//! SQS does not tell it, and receiving a message to see its age would raise its receive count. What knows it is
//! `CloudWatch`'s metric `ApproximateAgeOfOldestMessage`: one figure a minute, a minute or more late, and none for a
//! queue that was idle for six hours. It leaves out messages that were received three times or more, so a message that
//! keeps failing does not show in it. See
//! [SQS metrics](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{Dimension, Statistic},
};
use serde::Serialize;

use crate::counters::Counters;
use crate::{connection::OpenQueue, quantity::human};

/// How far back a figure may lie.
const WINDOW: Duration = Duration::from_mins(15);

/// What is known of the age of the oldest message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(crate) enum Age {
    /// There is no message.
    Empty,
    /// As `CloudWatch` saw it.
    #[serde(rename_all = "camelCase")]
    Measured {
        seconds: u64,
        measured_seconds_ago: u64,
    },
    Unknown {
        reason: String,
    },
    /// The local AWS counts no such thing.
    NotCounted,
}

impl Age {
    /// In a few characters: `4m 12s`, `unknown`, `-`, `–`.
    pub(crate) fn short(&self) -> String {
        match self {
            Self::Empty => "-".to_owned(),
            Self::Measured { seconds, .. } => human(Duration::from_secs(*seconds)),
            Self::Unknown { .. } => "unknown".to_owned(),
            Self::NotCounted => "–".to_owned(),
        }
    }

    /// How the figure came about, where there is something to say.
    pub(crate) fn source(&self) -> Option<String> {
        match self {
            Self::Empty | Self::NotCounted => None,
            Self::Measured { measured_seconds_ago, .. } => {
                let ago = human(Duration::from_secs(*measured_seconds_ago));
                Some(format!("as CloudWatch saw it {ago} ago, without messages received three times or more"))
            }
            Self::Unknown { reason } => Some(reason.clone()),
        }
    }
}

/// Asks `CloudWatch`, unless the queue is empty: one request.
pub(crate) async fn read(open: &OpenQueue, counters: Counters, now: SystemTime) -> Age {
    if counters.visible + counters.in_flight == 0 {
        return Age::Empty;
    }
    match latest(open, now).await {
        Ok(Some(age)) => age,
        _ if open.connection.endpoint().is_some() => Age::NotCounted,
        Ok(None) => Age::Unknown { reason: "CloudWatch has no figure of the last 15 minutes".to_owned() },
        Err(error) => Age::Unknown { reason: error.to_string() },
    }
}

async fn latest(open: &OpenQueue, now: SystemTime) -> anyhow::Result<Option<Age>> {
    let queue = Dimension::builder().name("QueueName").value(open.queue.name()).build();
    let request = Client::new(open.connection.config()?)
        .get_metric_statistics()
        .namespace("AWS/SQS")
        .metric_name("ApproximateAgeOfOldestMessage")
        .dimensions(queue)
        .start_time(DateTime::from(now - WINDOW))
        .end_time(DateTime::from(now))
        .period(60)
        .statistics(Statistic::Maximum);
    let answer = request.send().await.map_err(open.refusal("cloudwatch:GetMetricStatistics"))?;
    let figure = |point: &aws_sdk_cloudwatch::types::Datapoint| Some((point.timestamp?.secs(), point.maximum?));
    let newest = answer.datapoints().iter().filter_map(figure).max_by_key(|&(at, _)| at);
    let now_s = DateTime::from(now).secs();
    Ok(newest.map(|(at, seconds)| Age::Measured {
        seconds: Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs(),
        measured_seconds_ago: u64::try_from(now_s - at).unwrap_or(0),
    }))
}
