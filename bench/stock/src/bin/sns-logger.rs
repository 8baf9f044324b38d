//! What `functions/sns-logger` does with a notification.

use aws_lambda_events::sns::SnsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

async fn function_handler(event: LambdaEvent<SnsEvent>) -> Result<(), Error> {
    for record in event.payload.records {
        let sns = record.sns;
        let attributes = serde_json::to_string(&sns.message_attributes)?;
        tracing::info!(message_id = sns.message_id, topic = sns.topic_arn, subject = sns.subject, message = sns.message, attributes, "notification received");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(function_handler)).await
}
