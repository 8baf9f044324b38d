//! The SDK's errors as sentences that say what to do.

use std::error::Error;

use anyhow::anyhow;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sluicegate::error_chain::error_chain;

/// What was asked of whom.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
}

impl Place {
    pub(crate) fn no_such_queue(&self) -> anyhow::Error {
        let Self { subject, region, endpoint, .. } = self;
        let at = endpoint.as_ref().map(|endpoint| format!(" at {endpoint}")).unwrap_or_default();
        anyhow!(
            "queue {subject} does not exist in {region}{at}: `sluice queue list` shows those that do, \
             `sluice queue create` makes one"
        )
    }
}

/// The error of any operation of any SDK client.
pub(crate) trait SdkFailure {
    /// One sentence: what happened, and what to do.
    fn explain(self, place: &Place) -> anyhow::Error;
}

impl<E> SdkFailure for SdkError<E, HttpResponse>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn explain(self, place: &Place) -> anyhow::Error {
        if let Some(error) = credentials_error(&self) {
            return missing_credentials(error);
        }
        match &self {
            SdkError::ServiceError(service) => {
                let (error, status) = (service.err(), service.raw().status().as_u16());
                match error.code() {
                    Some(code) => refused(code, error.message().unwrap_or("AWS gave no reason"), status, place),
                    None => refused(&format!("HTTP {status}"), &innermost(error), status, place),
                }
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                let at = place.endpoint.clone().unwrap_or_else(|| format!("AWS in {}", place.region));
                let advice = if place.endpoint.is_some() {
                    "is it running, and is the endpoint right (--endpoint-url, AWS_ENDPOINT_URL)?"
                } else {
                    "is the region right (--region), and does the network let you out?"
                };
                anyhow!("cannot reach {at}: {advice} ({})", innermost(&self))
            }
            _ => anyhow!("{} on {} failed: {}", place.action, place.subject, error_chain(&self)),
        }
    }
}

fn refused(code: &str, words: &str, status: u16, place: &Place) -> anyhow::Error {
    let Place { action, subject, .. } = place;
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if has(&["NonExistentQueue", "QueueDoesNotExist"]) {
        place.no_such_queue()
    } else if has(&[
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "SignatureDoesNotMatch",
        "RequestExpired",
    ]) {
        anyhow!(
            "AWS does not accept these credentials: renew them (aws sso login, aws configure) or choose others with --profile ({code}: {words})"
        )
    } else if has(&["QueueDeletedRecently"]) {
        anyhow!("queue {subject} was deleted a moment ago, and AWS keeps its name for a minute: try again then")
    } else if has(&["PurgeQueueInProgress"]) {
        anyhow!("queue {subject} was purged less than a minute ago, and AWS purges once a minute: try again then")
    } else if has(&["Throttl", "TooManyRequests"]) {
        anyhow!("AWS is throttling {action} on {subject}: try again a little later ({code}: {words})")
    } else if has(&["AccessDenied", "NotAuthorized", "AuthorizationError"]) || status == 403 {
        anyhow!(
            "AWS refused {action} on {subject}: give this identity that permission, or choose another with --profile \
             ({code}: {words})"
        )
    } else {
        anyhow!("{action} on {subject} failed ({code}: {words})")
    }
}

fn missing_credentials(error: &CredentialsError) -> anyhow::Error {
    let cause = innermost(error);
    // The instance's metadata are the last place of the chain: not finding them there is finding none.
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || cause.contains("IMDS") {
        return anyhow!(
            "no AWS credentials were found: run `aws sso login` or `aws configure`, set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or choose a profile with --profile"
        );
    }
    anyhow!(
        "the AWS credentials could not be loaded: check the profile (--profile, AWS_PROFILE) or run `aws sso login` ({cause})"
    )
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The cause of all causes, which names the thing itself.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and its causes, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { action: "sqs:SendMessage", subject: "jobs".to_owned(), region: "eu-west-1".to_owned(), endpoint: None }
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        for (code, status, cure) in [
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                400,
                "queue jobs does not exist in eu-west-1: `sluice queue list`",
            ),
            ("QueueDoesNotExist", 400, "`sluice queue create` makes one"),
            ("AccessDeniedException", 400, "AWS refused sqs:SendMessage on jobs: give this identity that permission"),
            ("SomethingNew", 403, "give this identity that permission"),
            ("ExpiredTokenException", 403, "renew them (aws sso login"),
            ("InvalidClientTokenId", 403, "renew them"),
            ("AWS.SimpleQueueService.QueueDeletedRecently", 400, "keeps its name for a minute"),
            ("AWS.SimpleQueueService.PurgeQueueInProgress", 403, "purges once a minute"),
            ("ThrottlingException", 400, "try again a little later"),
            ("RequestThrottled", 403, "try again a little later"),
            ("KmsDisabled", 400, "failed (KmsDisabled: its words)"),
        ] {
            let sentence = refused(code, "its words", status, &place()).to_string();
            assert!(sentence.contains(cure), "{code}: {sentence}");
            assert_eq!(sentence.lines().count(), 1, "{sentence}");
        }
    }

    #[test]
    fn no_credentials_are_told_from_credentials_that_do_not_load() {
        let none = missing_credentials(&CredentialsError::not_loaded("none")).to_string();
        assert!(none.starts_with("no AWS credentials were found"), "{none}");
        let broken =
            missing_credentials(&CredentialsError::invalid_configuration("profile x is not there")).to_string();
        assert!(broken.contains("--profile") && broken.contains("profile x is not there"), "{broken}");
    }
}
