//! Records that Firehose wants transformed.
//!
//! See [Transform source data](https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html).

mod read;
mod record;

pub use self::{
    read::read_firehose_batch,
    record::{FirehoseBatch, FirehoseRecord, MalformedFirehoseRecord},
};

#[cfg(test)]
mod tests;
