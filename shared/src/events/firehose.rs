//! Records that Firehose wants transformed.
