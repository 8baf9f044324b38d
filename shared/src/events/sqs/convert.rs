//! From the types of `aws_lambda_events`.

use aws_lambda_events::sqs::SqsMessage;

use super::{
    read::{MAPPING, Read},
    record::Record,
};
use crate::events::{EventError, json::fields};

impl TryFrom<&SqsMessage> for Record {
    type Error = EventError;

    /// Refused where it has no message id.
    fn try_from(message: &SqsMessage) -> Result<Self, EventError> {
        let missing = EventError::MissingField { of: MAPPING.of, field: "messageId" };
        let json = serde_json::to_string(message).unwrap_or_default();
        let read = Read::of(vec![fields(&json, MAPPING.of, MAPPING.names)], &MAPPING);
        read.records.into_iter().next().ok_or(missing)?.map_err(|malformed| malformed.problem)
    }
}
