//! SNS: messages to topics, and text messages to phones.

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, operation::publish::builders::PublishFluentBuilder, types::MessageAttributeValue};

use super::{error::call_error, lazy::Lazy};
use crate::delivery::CallError;

/// Publishes through SNS. The client is made at the first call, so that a function that alerts seldom does not pay for
/// it (root certificates are read) at every start.
#[derive(Debug)]
pub struct SnsPublisher {
    client: Lazy<Client>,
}

/// What is said with a refused SMS: what a new account runs into first. See
/// [the SMS sandbox](https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html) and
/// [spending limits](https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-spend-threshold.html).
const SMS_HINT: &str = "SNS did not take the SMS (an account in the SMS sandbox reaches only verified numbers, and a new one may \
                        spend 1 USD a month; the role needs sns:Publish on what is not a topic)";

/// Takes messages to topics and phones: what a function asks for, so that its tests need no SNS. Both methods answer once SNS
/// has accepted it, which is not yet delivered.
pub trait Publisher {
    /// Sends a text message at SNS's priority for what must arrive (`Transactional`).
    ///
    /// `phone_number` is E.164. A text longer than one SMS is sent as several, 1,600 characters in all. That SNS took it
    /// does not say that it arrived: a number not verified, or a limit reached, may show only in the delivery logs. See
    /// [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
    fn send_sms(&self, phone_number: &str, text: &str) -> impl Future<Output = Result<(), CallError>>;

    /// Publishes a message to a standard topic.
    ///
    /// The subject is one line of less than 100 characters, shown by e-mail; the message is at most 256 KiB. See
    /// [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
    fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> impl Future<Output = Result<(), CallError>>;
}

impl SnsPublisher {
    /// Opens nothing. `config` is [`crate::aws::config`]'s.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Lazy::new(config, Client::new) }
    }

    fn publication(&self) -> PublishFluentBuilder {
        self.client.get().publish()
    }
}

impl Publisher for SnsPublisher {
    async fn send_sms(&self, phone_number: &str, text: &str) -> Result<(), CallError> {
        let transactional =
            MessageAttributeValue::builder().data_type("String").string_value("Transactional").build()?;
        let publish = self
            .publication()
            .phone_number(phone_number)
            .message(text)
            .message_attributes("AWS.SNS.SMS.SMSType", transactional);
        send(publish, SMS_HINT).await
    }

    async fn publish(&self, topic_arn: &str, subject: &str, message: &str) -> Result<(), CallError> {
        let publish = self.publication().topic_arn(topic_arn).subject(subject).message(message);
        send(publish, &format!("SNS did not take the message for {topic_arn}")).await
    }
}

/// A refusal begins with `what`; the service's code and words follow.
async fn send(publish: PublishFluentBuilder, what: &str) -> Result<(), CallError> {
    // On the heap: the SDK's future is so deep that the type of a function's whole future would pass the compiler's limit.
    Box::pin(publish.send()).await.map_err(|error| {
        let CallError { message, is_transient } = call_error(error);
        CallError { message: format!("{what}: {message}"), is_transient }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::StaticReplayClient;
    use percent_encoding::percent_decode_str;

    use super::*;
    use crate::aws::replay::{self, answers};

    const TAKEN: &str = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    const REFUSED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>\
                           <Message>not allowed here</Message></Error><RequestId>r</RequestId></ErrorResponse>";

    /// A publisher that gets this one answer, and what it will have sent.
    fn publisher(status: u16, answer: &'static str) -> (SnsPublisher, StaticReplayClient) {
        let (config, replay) = answers(&[(status, answer)]);
        (SnsPublisher::new(&config), replay)
    }

    /// The parameters of the one request, decoded, one a line.
    fn sent(replay: &StaticReplayClient) -> Vec<String> {
        let requests = replay::sent(replay);
        assert_eq!(requests.len(), 1);
        let body = requests[0].as_str().unwrap();
        body.split('&').map(|pair| percent_decode_str(pair).decode_utf8().unwrap().into_owned()).collect()
    }

    #[tokio::test]
    async fn an_sms_goes_to_the_number_as_transactional() {
        let (sns, replay) = publisher(200, TAKEN);
        sns.send_sms("+14155550123", "Object created: 한글 + {a}").await.unwrap();
        let sent = sent(&replay);
        for parameter in [
            "Action=Publish",
            "PhoneNumber=+14155550123",
            "Message=Object created: 한글 + {a}",
            "MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType",
            "MessageAttributes.entry.1.Value.DataType=String",
            "MessageAttributes.entry.1.Value.StringValue=Transactional",
        ] {
            assert!(sent.iter().any(|sent| sent == parameter), "{parameter} in {sent:?}");
        }
        assert!(!sent.iter().any(|sent| sent.starts_with("TopicArn")), "{sent:?}");
    }

    #[tokio::test]
    async fn a_message_goes_to_the_topic_with_its_subject() {
        let (sns, replay) = publisher(200, TAKEN);
        let topic_arn = "arn:aws:sns:us-east-1:123456789012:alerts";
        sns.publish(topic_arn, "a subject", "two\nlines").await.unwrap();
        let sent = sent(&replay);
        for parameter in [format!("TopicArn={topic_arn}"), "Subject=a subject".into(), "Message=two\nlines".into()] {
            assert!(sent.contains(&parameter), "{parameter} in {sent:?}");
        }
        assert!(!sent.iter().any(|sent| sent.starts_with("MessageAttributes")), "{sent:?}");
    }

    #[tokio::test]
    async fn a_refused_sms_says_the_service_s_code_and_words_and_what_a_new_account_lacks() {
        let (sns, _) = publisher(403, REFUSED);
        let error = sns.send_sms("+14155550123", "x").await.unwrap_err().message;
        for part in ["AuthorizationError", "not allowed here", "sandbox", "1 USD a month"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[tokio::test]
    async fn a_refused_message_says_the_topic_and_the_service_s_code_and_words() {
        let (sns, _) = publisher(403, REFUSED);
        let error = sns.publish("arn:aws:sns:us-east-1:123456789012:alerts", "s", "m").await.unwrap_err().message;
        for part in ["123456789012:alerts", "AuthorizationError", "not allowed here"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!error.contains("sandbox"), "{error}");
    }
}
