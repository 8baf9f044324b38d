//! Records of a queue, sent by a mapping or dispatched by the poller.
//!
//! See [Using Lambda with Amazon SQS](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html), and for the bare list of
//! a pipe [Amazon SQS as a source](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html).

#[cfg(feature = "aws_lambda_events")]
mod convert;
mod queue;
pub(super) mod read;
mod record;

pub use self::{
    queue::Queue,
    record::{Batch, EventSource, MalformedRecord, Record},
};

#[cfg(test)]
mod tests;
