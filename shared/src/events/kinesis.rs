//! Records of a Kinesis data stream.
