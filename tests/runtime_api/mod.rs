//! The functions as they are built for Lambda, driven over the Runtime API: what only the release binary can show.

mod deadline;
mod garbage;
mod isolation;
mod logging;
mod memory;
mod metrics;
mod settings;
mod side_by_side;
mod silence;
mod thumbnail;
mod trace;

/// Every function of the workspace.
const FUNCTIONS: [&str; 8] = [
    "firehose-transformer",
    "kinesis-logger",
    "mq-logger",
    "s3-object-logger",
    "scheduled-poller",
    "sns-logger",
    "sqs-worker",
    "thumbnailer",
];
