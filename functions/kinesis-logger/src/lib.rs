//! Logs the records of a Kinesis data stream, in the order of each shard.
