//! What `sqs-worker` beside this file does, with the SDK's client of SQS for what fails, made at the start as its guide has it.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;

#[derive(Deserialize)]
struct NewDonor {
    name: String,
}

async fn function_handler(event: LambdaEvent<SqsEvent>, sqs: &Client) -> Result<SqsBatchResponse, Error> {
    for message in event.payload.records {
        let body = message.body.unwrap_or_default();
        let message_id = message.message_id.unwrap_or_default();
        let Ok(donor) = serde_json::from_str::<NewDonor>(&body) else {
            sqs.send_message().queue_url(std::env::var("DEAD_LETTER_QUEUE_URL")?).message_body(body).send().await?;
            continue;
        };
        tracing::info!(message_id, name_bytes = donor.name.len(), "job done");
    }
    Ok(SqsBatchResponse::default())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let sqs = Client::new(&aws_config::load_from_env().await);
    run(service_fn(|event| function_handler(event, &sqs))).await
}
