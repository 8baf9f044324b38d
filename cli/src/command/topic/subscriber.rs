//! Who hears of a topic, as the user names it.

use super::reference::phone_number;
use crate::{connection::Connection, queue_reference::QueueReference};

/// One of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Who {
    /// An e-mail address. Whoever reads it must confirm.
    #[arg(long, value_name = "ADDRESS", value_parser = email)]
    email: Option<String>,
    /// A phone number, as in +14155550123.
    #[arg(long, value_name = "NUMBER", value_parser = phone_number)]
    sms: Option<String>,
    /// A queue: URL, ARN or name.
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<QueueReference>,
    /// A function, by ARN.
    #[arg(long, value_name = "ARN", value_parser = function_arn)]
    lambda: Option<String>,
}

/// Who it is, as SNS knows it.
pub(crate) struct Subscriber {
    pub(crate) protocol: &'static str,
    pub(crate) endpoint: String,
}

impl Who {
    /// A queue's ARN costs a request.
    pub(crate) async fn find(&self, connection: &Connection) -> anyhow::Result<Subscriber> {
        let (protocol, endpoint) = match (&self.email, &self.sms, &self.queue, &self.lambda) {
            (Some(address), ..) => ("email", address.clone()),
            (_, Some(number), ..) => ("sms", number.clone()),
            (_, _, Some(queue), _) => ("sqs", connection.queue(queue).await?.arn().await?),
            (.., lambda) => ("lambda", lambda.clone().unwrap_or_default()),
        };
        Ok(Subscriber { protocol, endpoint })
    }
}

fn email(text: &str) -> Result<String, String> {
    let fits = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if fits && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err("it is no e-mail address".into())
    }
}

fn function_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "lambda", _, _, "function", ..] if parts.len() <= 8 => Ok(text.to_owned()),
        _ => Err("it is no function ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sns_would_refuse_is_refused_here() {
        assert!(email("ada@example.com").is_ok() && email("ada").is_err() && email("a b@example.com").is_err());
        assert!(function_arn("arn:aws:lambda:us-east-1:123456789012:function:f:live").is_ok());
        assert!(function_arn("f").is_err() && function_arn("arn:aws:sqs:us-east-1:123456789012:q").is_err());
    }
}
