//! Built functions, run as Lambda runs them: a process that asks a Runtime API on loopback for events.
//!
//! Nothing leaves the machine: AWS is where the test says, and nowhere where it says nothing.

mod api;
mod bootstrap;
pub(crate) mod event;
mod log;

use std::{
    path::Path,
    process::ExitStatus,
    time::{Duration, SystemTime},
};

use hyper::body::Bytes;
use sluicegate::clock::{Clock, SystemClock};

use self::{api::RuntimeApi, bootstrap::Bootstrap};
pub(crate) use self::{
    api::{Answer, Invoked},
    bootstrap::path_of,
    log::Line,
};

/// How long anything may take before a test gives up: far more than it takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A running function.
pub(crate) struct Lambda {
    name: &'static str,
    api: RuntimeApi,
    process: Bootstrap,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
    /// What it told Lambda of why it cannot start.
    pub(crate) told: Option<String>,
}

impl Lambda {
    /// Starts the built function with these settings, and none besides what Lambda itself sets.
    pub(crate) async fn start(name: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::start_program(name, &path_of(name), settings).await
    }

    /// As [`Lambda::start`], for a program that is no function of the workspace.
    pub(crate) async fn start_program(name: &'static str, program: &Path, settings: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start().await;
        let process = Bootstrap::start(name, program, &api.address(), settings);
        Self { name, api, process }
    }

    /// Sends an event and waits for what the function makes of it, with all the time it may want.
    pub(crate) async fn invoke(&self, event: impl Into<Bytes>) -> Invoked {
        self.invoke_until(event, SystemClock.now() + LIMIT).await
    }

    /// As [`Lambda::invoke`], with the deadline that the function is told.
    pub(crate) async fn invoke_until(&self, event: impl Into<Bytes>, deadline: SystemTime) -> Invoked {
        let answered = tokio::time::timeout(LIMIT, self.api.invoke(event.into(), deadline));
        tokio::select! {
            answered = answered => answered.unwrap_or_else(|_| {
                panic!("{} did not answer within {LIMIT:?}; its log:\n{}", self.name, self.process.said())
            }),
            status = self.process.exited() => {
                panic!("{} ended with {status} instead of answering; its log:\n{}", self.name, self.process.said())
            }
        }
    }

    /// Sends an event and counts the writes it takes to answer it.
    pub(crate) async fn writes_for(&self, event: impl Into<Bytes>) -> u64 {
        let before = self.process.writes().await;
        self.invoke(event).await;
        self.process.writes().await - before
    }

    /// Sends an event and kills the process as soon as it has written these words, whether it has answered or not.
    pub(crate) async fn killed_after(self, event: impl Into<Bytes>, words: &str) -> Vec<Line> {
        let said = async {
            while !self.process.said().contains(words) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = said => {}
            invoked = self.invoke(event) => assert!(self.process.said().contains(words), "{invoked:?}"),
        }
        self.log().await
    }

    /// Pages of memory that the process was given so far.
    pub(crate) async fn page_faults(&self) -> u64 {
        self.process.page_faults().await
    }

    /// The most memory the process has had at once, in bytes.
    pub(crate) async fn peak_memory(&self) -> u64 {
        self.process.peak_memory().await
    }

    /// Ends the process and gives its whole log, metrics aside.
    pub(crate) async fn log(self) -> Vec<Line> {
        self.output().await.iter().map(|line| Line::read(line)).filter(|line| !line.is_metrics()).collect()
    }

    /// Ends the process and gives every line it wrote, unread.
    pub(crate) async fn output(self) -> Vec<String> {
        self.process.kill().await
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(self) -> Ended {
        let status = tokio::time::timeout(LIMIT, self.process.exited()).await;
        let status = status.unwrap_or_else(|_| panic!("{} goes on; its log:\n{}", self.name, self.process.said()));
        Ended { status, told: self.api.cannot_start(), lines: self.process.kill().await }
    }
}
