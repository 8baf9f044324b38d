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

    /// The toolkit's words of a failed call: `CODE: what AWS says`, or what the connection said.
    pub(crate) fn explain(&self, words: &str) -> anyhow::Error {
        match words.split_once(": ") {
            Some((code, words)) if !code.contains(' ') => refused(code, words, 400, self),
            _ => anyhow!("{} on {} failed: {words}", self.action, self.subject),
        }
    }
}

/// What is said of a refusal: its code or AWS's words hold one of these. The first row that fits counts, and AWS's own words
/// follow. `{action}` and `{subject}` are what was asked of what.
const SENTENCES: [(&[&str], &str); 13] = [
    (
        &["RequestExpired", "RequestTimeTooSkewed", "Signature expired", "Signature not yet current"],
        "this machine's clock is off, and AWS takes no request of another time: set it",
    ),
    (
        &["SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature"],
        "the secret key does not belong to the access key: look at AWS_SECRET_ACCESS_KEY, or choose a profile with \
         --profile",
    ),
    (
        &["ExpiredToken", "TokenRefreshRequired"],
        "these credentials were good for a time that is over: renew them (aws sso login, aws login) or choose others with \
         --profile",
    ),
    (
        &["InvalidClientTokenId", "UnrecognizedClient", "InvalidAccessKeyId", "security token included in the request"],
        "AWS does not know these credentials: renew them (aws sso login, aws login, aws configure) or choose others with --profile",
    ),
    (
        &["OptInRequired", "RegionDisabled"],
        "this account does not use that region: choose another with --region, or enable it in the account",
    ),
    (&["QueueDeletedRecently"], "queue {subject} was deleted a moment ago, and AWS keeps its name for a minute: wait"),
    (
        &["PurgeQueueInProgress"],
        "queue {subject} was purged less than a minute ago, and AWS purges once a minute: wait",
    ),
    (
        &["OverLimit"],
        "as many messages of {subject} are in flight as SQS allows: they come back when their visibility timeout ends",
    ),
    (&["Throttl", "TooManyRequests"], "AWS is throttling {action} on {subject}: try again a little later"),
    (
        &["Kms", "KMS", "kms:"],
        "the KMS key of {subject} is in the way, not the queue: let this identity use the key (kms:Decrypt, and to send \
         kms:GenerateDataKey), and see that it is enabled",
    ),
    (
        &["InvalidAddress", "is not valid for this endpoint"],
        "that address is of another region or endpoint: name the queue by its ARN, or look at --region and --endpoint-url",
    ),
    (
        &["UnsupportedOperation", "InvalidAction", "UnknownOperation"],
        "this endpoint does not know {action}, or not for {subject}",
    ),
    (
        &["AccessDenied", "NotAuthorized", "AuthorizationError"],
        "AWS refused {action} on {subject}: give this identity that permission, or choose another with --profile",
    ),
];

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
    if ["NonExistentQueue", "QueueDoesNotExist"].iter().any(|part| code.contains(part)) {
        return place.no_such_queue();
    }
    let fits = |parts: &[&str]| parts.iter().any(|part| code.contains(part) || words.contains(part));
    let permission = SENTENCES.last().filter(|_| status == 403);
    let Some((_, sentence)) = SENTENCES.iter().find(|(parts, _)| fits(parts)).or(permission) else {
        return anyhow!("{} on {} failed ({code}: {words})", place.action, place.subject);
    };
    let sentence = sentence.replace("{action}", place.action).replace("{subject}", &place.subject);
    anyhow!("{sentence} ({code}: {words})")
}

fn missing_credentials(error: &CredentialsError) -> anyhow::Error {
    let cause = innermost(error);
    // The instance's metadata are the last place of the chain: not finding them there is finding none.
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || cause.contains("IMDS") {
        return anyhow!(
            "no AWS credentials were found: run `aws sso login`, `aws login` or `aws configure`, set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or choose a profile with --profile"
        );
    }
    anyhow!(
        "the AWS credentials could not be loaded: check the profile (--profile, AWS_PROFILE), or run `aws sso login` or `aws login` ({cause})"
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
        let denied = "User: arn:aws:iam::1:user/ada is not authorized to perform: kms:GenerateDataKey on resource: k";
        for (code, status, words, cure) in [
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                400,
                "",
                "queue jobs does not exist in eu-west-1: `sluice queue list`",
            ),
            ("QueueDoesNotExist", 400, "", "`sluice queue create` makes one"),
            (
                "AccessDeniedException",
                400,
                "no",
                "AWS refused sqs:SendMessage on jobs: give this identity that permission",
            ),
            ("AccessDeniedException", 400, denied, "the KMS key of jobs is in the way"),
            ("SomethingNew", 403, "no", "give this identity that permission"),
            ("ExpiredTokenException", 403, "no", "renew them (aws sso login"),
            ("InvalidClientTokenId", 403, "no", "does not know these credentials"),
            ("InvalidSignatureException", 403, "Signature expired: 1 is now earlier than 2", "clock is off"),
            ("InvalidSignatureException", 403, "The request signature we calculated does not match", "secret key"),
            ("SignatureDoesNotMatch", 403, "no", "secret key does not belong"),
            ("AWS.SimpleQueueService.QueueDeletedRecently", 400, "no", "keeps its name for a minute"),
            ("AWS.SimpleQueueService.PurgeQueueInProgress", 403, "no", "purges once a minute"),
            ("ThrottlingException", 400, "no", "try again a little later"),
            ("RequestThrottled", 403, "no", "try again a little later"),
            ("OverLimit", 403, "no", "in flight"),
            ("KmsDisabled", 400, "no", "see that it is enabled"),
            ("KMS.AccessDeniedException", 400, "no", "kms:Decrypt"),
            ("SomethingElse", 400, "no", "sqs:SendMessage on jobs failed"),
        ] {
            let sentence = refused(code, words, status, &place()).to_string();
            assert!(sentence.contains(cure), "{code}: {sentence}");
            assert!(words.is_empty() || sentence.ends_with(&format!("({code}: {words})")), "{sentence}");
            assert_eq!(sentence.lines().count(), 1, "{sentence}");
        }
    }

    #[test]
    fn what_the_toolkit_says_of_a_call_is_explained_too() {
        let explained = |words: &str| place().explain(words).to_string();
        assert!(explained("AccessDenied: no").contains("give this identity that permission"));
        assert_eq!(explained("nobody is there: at all"), "sqs:SendMessage on jobs failed: nobody is there: at all");
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
