//! Records of a Kinesis data stream.
//!
//! See [Using Lambda with Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html), and for a pipe's list
//! [Amazon Kinesis stream as a source](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html).

mod read;
mod record;

pub use self::{
    read::read_stream_records,
    record::{MalformedStreamRecord, Sequenced, Stream, StreamBatch, StreamRecord},
};

#[cfg(test)]
mod tests;
