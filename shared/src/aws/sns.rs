//! SNS: messages to topics, and text messages to phones.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_sns::{
    Client,
    error::SdkError,
    operation::publish::{PublishError, builders::PublishFluentBuilder},
    types::MessageAttributeValue,
};

/// Publishes through SNS. The client is made at the first call, so that a function that alerts seldom does not pay for
/// it (root certificates are read) at every start.
#[derive(Debug)]
pub struct SnsPublisher {
    config: SdkConfig,
    client: OnceLock<Client>,
}

/// A message that SNS did not take. Its chain of sources has the service's code and words.
#[derive(Debug, thiserror::Error)]
pub enum SnsError {
    /// It was for a phone. What a new account runs into first is said with it, see
    /// [the SMS sandbox](https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html) and
    /// [spending limits](https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-spend-threshold.html).
    #[error(
        "SNS did not take the SMS (an account in the SMS sandbox reaches only verified numbers, and a new one may spend \
         1 USD a month; the role needs sns:Publish on what is not a topic)"
    )]
    Sms(#[source] Box<SdkError<PublishError>>),
    /// It was for a topic.
    #[error("SNS did not take the message for {topic_arn}")]
    Topic {
        /// The topic.
        topic_arn: String,
        /// What the SDK says.
        source: Box<SdkError<PublishError>>,
    },
}

impl SnsPublisher {
    /// Opens nothing. `config` is [`crate::aws::config`]'s.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self { config, client: OnceLock::new() }
    }

    /// Sends a text message at SNS's priority for what must arrive (`Transactional`), and answers its message id.
    ///
    /// `phone_number` is E.164. A text longer than one SMS is sent as several, 1,600 characters in all. That SNS took it
    /// does not say that it arrived: a number not verified, or a limit reached, may show only in the delivery logs. See
    /// [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
    pub async fn send_sms(&self, phone_number: &str, text: &str) -> Result<String, SnsError> {
        let transactional = MessageAttributeValue::builder()
            .data_type("String")
            .string_value("Transactional")
            .build()
            .map_err(|error| SnsError::Sms(Box::new(SdkError::construction_failure(error))))?;
        let publish = self
            .publication()
            .phone_number(phone_number)
            .message(text)
            .message_attributes("AWS.SNS.SMS.SMSType", transactional);
        send(publish).await.map_err(SnsError::Sms)
    }

    /// Publishes a message to a standard topic and answers its message id.
    ///
    /// The subject is one line of less than 100 characters, shown by e-mail; the message is at most 256 KiB. See
    /// [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
    pub async fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> Result<String, SnsError> {
        let publish = self.publication().topic_arn(topic_arn).subject(subject).message(message);
        send(publish).await.map_err(|source| SnsError::Topic { topic_arn: topic_arn.to_owned(), source })
    }

    fn publication(&self) -> PublishFluentBuilder {
        self.client.get_or_init(|| Client::new(&self.config)).publish()
    }
}

async fn send(publish: PublishFluentBuilder) -> Result<String, Box<SdkError<PublishError>>> {
    let output = publish.send().await.map_err(Box::new)?;
    Ok(output.message_id.unwrap_or_default())
}
