//! Partial failure of a stream: a shard stops at its first failed record.
