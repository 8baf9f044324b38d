//! What `functions/sqs-worker` does with a batch of donors that all go well.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;

#[derive(Deserialize)]
struct NewDonor {
    name: String,
}

async fn function_handler(event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    for message in event.payload.records {
        let donor: NewDonor = serde_json::from_str(message.body.as_deref().unwrap_or_default())?;
        let message_id = message.message_id.unwrap_or_default();
        tracing::info!(message_id, name_bytes = donor.name.len(), "job done");
    }
    Ok(SqsBatchResponse::default())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(function_handler)).await
}
