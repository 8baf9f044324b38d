"""Says why a deploy to an account failed, and what to do: asked of CloudFormation by `make deploy`, with the caller's own credentials."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, Iterator

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from console import exit_code, say
from stages import stack_of

KNOWN = (
    (r"AWS::S3::Bucket: .*(already exists|BucketAlreadyOwnedByYou)",
     "A bucket of that name stayed from an earlier stack. Empty and delete it (docs/deploying.md#what-stays-and-for-how-long), or set another BucketPrefix."),
    (r"already exists", "What has that name is of no stack, or of another: delete it, or deploy under another stack_name."),
    (r"ROLLBACK_COMPLETE$|ROLLBACK_FAILED$", "Its first deploy failed, and such a stack takes no update: `sam delete --stack-name STACK`, then deploy again."),
    (r"_IN_PROGRESS$", "Another deploy is under way, or was left: wait for its end, or cancel it in CloudFormation's console."),
    (r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|RequestExpired",
     "The credentials are over, or of another account: sign in again (`aws sso login`, or `aws sts get-session-token` with the code of your MFA device)."),
    (r"AccessDenied|not authorized|explicit deny",
     "docs/deploying.md#who-deploys lists the calls. With an explicit deny it is often MFA: use a profile with mfa_serial, or a session made with its code."),
    (r"UnreservedConcurrentExecution|ConcurrentExecutions", "The account runs too few functions at once: docs/quotas.md."),
    (r"Unable to locate credentials|NoCredentials|config profile", "There are no credentials: `aws configure sso`, or AWS_PROFILE names a profile that has some."),
    (r"does not exist", "There is no stack yet, so it failed before CloudFormation was asked: the lines above say at what."),
)
"""What is seen most, and what then helps."""


def seen(stack: str) -> Iterator[str]:
    """What CloudFormation says of the stack: its status, and what failed since its last operation began."""
    cloudformation: Any = boto3.client("cloudformation")
    status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    yield f"{stack} is {status}"
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                yield f"{event['LogicalResourceId']}, {event['ResourceType']}: {reason}"
            if reason == "User Initiated":
                return


def advice(line: str) -> str:
    """What helps, if it is known."""
    return next((text for pattern, text in KNOWN if re.search(pattern, line)), "")


def why(stage: str) -> int:
    """Prints it; the deploy has failed, and so does this."""
    stack = stack_of(stage)
    try:
        lines = list(seen(stack))
    except (BotoCoreError, ClientError) as error:
        lines = [str(error)]
    for line in lines:
        say(f"{line}" + (f"\n  -> {advice(line).replace('STACK', stack)}" if advice(line) else ""))
    return 1


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default="dev")
    return exit_code(lambda: why(parser.parse_args().stage))


if __name__ == "__main__":
    sys.exit(main())
