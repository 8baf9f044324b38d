//! Answers of a Firehose transformation: every record once, within the size that Firehose takes.
