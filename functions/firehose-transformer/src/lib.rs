//! Cleans up the records of a Firehose stream on their way to the bucket.
