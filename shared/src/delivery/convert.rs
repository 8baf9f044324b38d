//! To the types of `aws_lambda_events`.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};

use super::report::BatchResponse;

impl From<BatchResponse> for SqsBatchResponse {
    fn from(response: BatchResponse) -> Self {
        let mut converted = Self::default();
        converted.batch_item_failures = response
            .batch_item_failures
            .into_iter()
            .map(|named| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = named.item_identifier;
                failure
            })
            .collect();
        converted
    }
}
