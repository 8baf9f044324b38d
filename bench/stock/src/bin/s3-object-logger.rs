//! What `functions/s3-object-logger` does with a notification of S3.

use aws_lambda_events::s3::S3Event;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

async fn function_handler(event: LambdaEvent<S3Event>) -> Result<(), Error> {
    for record in event.payload.records {
        let (bucket, object) = (record.s3.bucket, record.s3.object);
        tracing::info!(bucket = bucket.name, key = object.url_decoded_key, size = object.size, event = record.event_name, "object created");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(function_handler)).await
}
