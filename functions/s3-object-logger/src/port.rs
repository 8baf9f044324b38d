//! Where alerts leave the function.

use std::error::Error;

use sluicegate::aws::sns::SnsPublisher;

use crate::config::{PhoneNumber, TopicArn};

/// Why an alert did not leave; its chain of sources is logged whole.
pub type AlertError = Box<dyn Error + Send + Sync>;

/// Takes alerts to people. Both methods answer once the alert is accepted, which is not yet delivered.
pub trait AlertPort {
    /// Sends `text` as one SMS.
    fn send_sms(&self, phone_number: &PhoneNumber, text: &str) -> impl Future<Output = Result<(), AlertError>>;

    /// Publishes a message to the topic.
    fn publish(
        &self,
        topic_arn: &TopicArn,
        subject: &str,
        message: &str,
    ) -> impl Future<Output = Result<(), AlertError>>;
}

impl AlertPort for SnsPublisher {
    async fn send_sms(&self, phone_number: &PhoneNumber, text: &str) -> Result<(), AlertError> {
        Ok(self.send_sms(phone_number.as_str(), text).await?)
    }

    async fn publish(&self, topic_arn: &TopicArn, subject: &str, message: &str) -> Result<(), AlertError> {
        Ok(self.publish(topic_arn.as_str(), subject, message).await?)
    }
}
