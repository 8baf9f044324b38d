"""Sends the demonstration's traffic through a stack of an AWS account, shows what became of it, and removes it: `make check`."""

from __future__ import annotations

import argparse
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

import clients
from console import Failed, exit_code, say
from demo.sent import remove
from demo.traffic import Pace, send
from demo.uploads import LARGEST_BYTES
from stages import stack_of

PACE = Pace(patience_seconds=420.0, pause_seconds=5.0, clocks_differ_seconds=10.0)
"""Firehose holds records for two minutes, and a log line is there to be read some seconds after it was written."""

PARAMETERS = ("LargeObjectBytes", "DeliveryDropWhen", "DeliverySource")
"""Which routes there are, and what goes through them, hangs on these."""


def deployed(stack: str) -> dict[str, str]:
    """The stack's outputs, and those of its parameters that say what to send."""
    described = clients.client({}, "cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    return {**outputs, **{name: parameters[name] for name in PARAMETERS if name in parameters}, "StackName": stack}


def announce(outputs: dict[str, str]) -> None:
    """Says where it goes, whom it reaches, and what it costs."""
    caller = clients.client({}, "sts").get_caller_identity()
    say(f"""stack {outputs['StackName']}, account {caller['Account']}, region {boto3.session.Session().region_name}, as {caller['Arn']}

Some 40 messages and objects, for 1 or 2 cents: their requests are a tenth of one, the rest is an hour of the functions' own metrics.
Who has subscribed to NotificationTopic or UploadTopic gets them too, and the alarms on dead letters may ring: three are sent, and removed.
Not tried: {', '.join(untried(outputs))}.
""")


def untried(outputs: dict[str, str]) -> list[str]:
    """The routes of the demonstration that are not tried here, and why."""
    large = outputs.get("LargeObjectBytes", "")
    return [
        "SMS, which nobody can look into",
        *([f"a large object, which is one of more than {int(large):,} bytes"] if int(large or 0) > LARGEST_BYTES else []),
        *(["the streams (EnableStreams=false)"] if "StreamName" not in outputs else []),
        *(["putting to Firehose, which reads the stream"] if outputs.get("DeliverySource") == "Stream" else []),
    ]


def check(stage: str, stack: str, yes: bool) -> int:
    """Does it; the exit code says whether every route answered."""
    if stage == "prod" and not yes:
        raise Failed("this sends to prod, where people may be told of it and an alarm may ring: `make check STAGE=prod YES=1`")
    outputs = deployed(stack or stack_of(stage))
    announce(outputs)
    run = f"check-{int(time.time()):x}"
    try:
        silent = send(outputs, run, PACE)
    finally:
        say("removed: " + ", ".join(remove(outputs, run)))
        say("left to expire: what the table, the stream and the log groups hold of it, and its lines in DeliveryBucket")
    for route in silent:
        say(
            f"SILENT: {route.name} ({route.sent}) showed nothing in {PACE.patience_seconds:.0f} s. Its log: "
            f"aws logs tail /aws/lambda/{outputs['StackName']}-{route.where_to_look} --since 10m"
        )
    return 1 if silent else 0


def explained(stage: str, stack: str, yes: bool) -> int:
    """As `check`, with AWS's refusals in a sentence."""
    try:
        return check(stage, stack, yes)
    except NoRegionError as error:
        raise Failed(f"{error} AWS_REGION names it, or the profile.") from error
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"{error}\nIs the stack deployed (`make deploy`), and are these its account, region and credentials?") from error


def main() -> int:
    """Reads the command line and checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--stack", default="", help="another stack than the stage's")
    parser.add_argument("--yes", action="store_true", help="prod is meant")
    arguments = parser.parse_args()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return exit_code(lambda: explained(arguments.stage, arguments.stack, arguments.yes))


if __name__ == "__main__":
    sys.exit(main())
