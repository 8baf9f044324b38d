//! Where objects come from and thumbnails go.

use sluicegate::{
    aws::s3::{ObjectAnswer, ObjectRequest, S3Objects},
    delivery::CallError,
};

/// Reads and writes objects, with one request each.
pub trait Objects: Send + Sync {
    /// Reads an object into memory.
    fn read(&self, wanted: &ObjectRequest<'_>) -> impl Future<Output = Result<ObjectAnswer, CallError>> + Send;

    /// Writes an object, over whatever has this key.
    fn write(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

impl Objects for S3Objects {
    async fn read(&self, wanted: &ObjectRequest<'_>) -> Result<ObjectAnswer, CallError> {
        self.read(wanted).await
    }

    async fn write(&self, bucket: &str, key: &str, content_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        self.write(bucket, key, content_type, content).await
    }
}
