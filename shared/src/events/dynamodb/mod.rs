//! Changes of a DynamoDB table, as its stream tells them.
//!
//! See [Using Lambda with DynamoDB](https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html), and for a pipe's list
//! [Amazon DynamoDB stream as a source](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html).

mod read;
mod record;

pub use self::{
    read::read_table_changes,
    record::{ChangeKind, Image, TableChange},
};

#[cfg(test)]
mod tests;
