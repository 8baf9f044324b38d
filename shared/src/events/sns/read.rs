//! Reading notifications, as Lambda receives them and as a queue holds them.

use std::borrow::Cow;

use super::record::{MalformedNotification, Notification, Notifications};
use crate::events::{
    attribute::attributes,
    error::EventError,
    ignored::Ignored,
    json::{Field, fields, text, without_mark},
};

const EVENT: &str = "SNS event";
const RECORD: &str = "SNS record";
const NOTIFICATION: &str = "SNS notification";

/// Reads the event with which SNS invokes a function: each record by itself, so that a bad one leaves the rest alone.
///
/// See [Using Lambda with Amazon SNS](https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html).
pub fn read_notifications(event: &str) -> Result<Notifications, EventError> {
    let [records] = fields(event, EVENT, ["Records[]"])?;
    let records = records.list(EVENT)?.ok_or(EventError::MissingField { of: EVENT, field: "Records" })?;
    let mut ignored = Ignored::default();
    let records = records.into_iter().map(|record| read(record, &mut ignored)).collect();
    Ok(Notifications { records, ignored })
}

fn read(record: &str, ignored: &mut Ignored) -> Result<Notification, MalformedNotification> {
    const NAMES: [&str; 6] =
        ["Sns.MessageId", "Sns.TopicArn", "Sns.Subject", "Sns.Message", "Sns.Timestamp", "Sns.MessageAttributes"];
    const LOWER: [&str; 6] =
        ["sns.MessageId", "sns.TopicArn", "sns.Subject", "sns.Message", "sns.Timestamp", "sns.MessageAttributes"];
    let found = fields(record, RECORD, NAMES)
        .and_then(|found| if found.iter().any(Field::is_there) { Ok(found) } else { fields(record, RECORD, LOWER) });
    match found {
        Ok(found) => notification(found, ignored),
        Err(problem) => Err(MalformedNotification { message_id: None, topic_arn: None, problem }),
    }
}

fn notification(found: [Field<'_>; 6], ignored: &mut Ignored) -> Result<Notification, MalformedNotification> {
    let [message_id, topic_arn, subject, message, published_at, message_attributes] = found;
    let Some(message) = whole(&message) else {
        let (message_id, topic_arn) = (message_id.identity(), topic_arn.identity());
        let problem = EventError::MissingField { of: NOTIFICATION, field: "Message" };
        return Err(MalformedNotification { message_id, topic_arn, problem });
    };
    Ok(Notification {
        message_id: message_id.text(ignored).map(Into::into),
        topic_arn: topic_arn.text(ignored).map(Into::into),
        subject: subject.text(ignored).map(Into::into),
        message: message.into_owned(),
        published_at: published_at.time(ignored),
        attributes: attributes(&message_attributes, ignored),
    })
}

/// A message's text, or as what else it came, as its JSON.
pub(in crate::events) fn whole<'a>(message: &Field<'a>) -> Option<Cow<'a, str>> {
    let json = message.json()?;
    Some(text(json).unwrap_or(Cow::Borrowed(json)))
}

/// Whether these fields of a body, `Type`, `TopicArn` and `Message`, are those of the envelope that SNS puts around a message in a
/// queue: a user's own JSON may well have a `Message`.
#[must_use]
pub fn is_envelope([kind, topic_arn, message]: [&Field<'_>; 3]) -> bool {
    kind.quiet_text().as_deref() == Some("Notification") && topic_arn.quiet_text().is_some() && message.is_there()
}

impl Notification {
    /// Reads the envelope that SNS puts around a message in a queue. `None` when the body is something else: a user's
    /// own JSON may well have a `Message` key.
    #[must_use]
    pub fn from_envelope(body: &str) -> Option<Self> {
        const NAMES: [&str; 7] =
            ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "MessageAttributes"];
        let [kind, message_id, topic_arn, subject, message, published_at, attributes] =
            fields(without_mark(body), NOTIFICATION, NAMES).ok()?;
        if !is_envelope([&kind, &topic_arn, &message]) {
            return None;
        }
        let found = [message_id, topic_arn, subject, message, published_at, attributes];
        notification(found, &mut Ignored::default()).ok()
    }
}
