"""Writes the tables of docs/permissions.md from the template's statements: `permissions_page.py [--write]`; else says whether they are so.

Run by the Python of the SAM CLI, whose own code unrolls the template's loops.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any, Iterator

import settled_template
from template_security import EVERYTHING

ROLES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "permissions.md"
BEGIN, END = "<!-- tables: local/checks/permissions_page.py writes them -->\n", "<!-- end of the tables -->\n"

REASONS = {
    "AlertBySms": "alerts by SMS: a number has no ARN, and everything that has one is left out",
    "AlertByTopic": "alerts",
    "ClaimIdempotencyKeys": "claim, complete, release, and count failed tries; nothing is read",
    "S3ObjectLoggerRole.ClaimIdempotencyKeys": "an alert that a first try has sent",
    "FindBroker": "its endpoints",
    "InvokeOnSchedule": "EventBridge Scheduler, by the function's own schedule",
    "InvokePoller": "EventBridge Scheduler, every minute",
    "InvokeWorker": "the dispatches",
    "KeepFailedInvocations": "Lambda leaves an event there, with the function's role, that failed to the last try",
    "KeepGivenUpRecords": "where the records are that were given up",
    "LeaveUndelivered": "a run that could not be started",
    "ListStreams": "Lambda asks for it when the mapping is made; the call has no resource",
    "LogErrors": "what it could not deliver, and why",
    "LogInToBroker": "user name and password; a secret under a key of yours wants `kms:Decrypt` there too, in that key's policy",
    "ReachBrokersNetwork": "Lambda's poller stands in the broker's own network; [Lambda's guide](https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html) "
    "asks for these",
    "ReadAndWriteEncrypted": "sending to an encrypted queue takes both, receiving and reading the first",
    "ReadImages": "the image",
    "ReadStream": "Lambda reads with this role",
    "DeliveryStreamPolicy.ReadStream": "the records, where they come from the stream",
    "ReceiveAndGiveBack": "it takes messages, gives back what it could not hand over, and deletes what it sent to the dead-letter queue; the rest is the "
    "worker's to delete",
    "ReceiveThroughMapping": "Lambda receives and deletes with this role; the function sets the delay of a retry",
    "ReceiveThroughMappings": "Lambda receives and deletes with this role; the worker sets the delay of a retry, and deletes what it sent to the "
    "dead-letter queue",
    "RejectMessages": "what is rejected or given up goes there, with its reason",
    "SendTraces": "the calls have no resource",
    "SettleDispatchedMessages": "what the poller handed over is deleted or handed back here; it is not received here",
    "TellGoneFromForbidden": "without it S3 answers 403 for an object that is gone, and its message would be tried again for nothing",
    "Transform": "the transformation, with and without a version behind the function's name",
    "UseEncryptedTable": "AWS's pages differ on whether the caller of an encrypted table needs these",
    "WriteObjects": "the records, and below `errors/` what could not be transformed",
    "WriteOwnLog": "its lines; the group itself is the template's",
    "WriteThumbnails": "the thumbnail",
}
"""Why, by the statement's id, or by the role's and the statement's."""

CONDITIONS = {
    "AlertBySms": "`AlertPhoneNumber` is set",
    "HasBroker": "`BrokerArn` is set",
    "IsTraced": "`Tracing=Active`",
    "KeyIsKept": "`Encryption` is not `managed`",
    "StreamIsDelivered": "`DeliverySource=Stream`",
    "StreamsEnabled": "`EnableStreams=true`",
}
"""What a condition of the template means."""


def statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A role's or policy's statements, as they are written."""
    properties = resource["Properties"]
    for policy in properties.get("Policies", [properties]):
        yield from policy.get("PolicyDocument", {}).get("Statement", [])


def conditions(template: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The condition that a statement is under, by its role's name and its own."""
    written = {name: one for name, one in template["Resources"].items() if not name.startswith("Fn::ForEach") and one["Type"] in ROLES}
    under = [(name, one["Fn::If"]) for name, resource in written.items() for one in statements(resource) if "Fn::If" in one]
    return {(name, then["Sid"]): condition for name, (condition, then, _) in under}


def _on(statement: dict[str, Any]) -> str:
    if "NotResource" in statement:
        return "all but topics"
    found = statement["Resource"]
    return ", ".join(_named(one) for one in (found if isinstance(found, list) else [found]))


def _named(resource: Any) -> str:
    if resource == "*":
        return "any"
    if isinstance(resource, str):
        name, _, rest = resource.removeprefix("${").partition(".Arn}")
        return {"": name, "/*": f"objects of {name}", ":*": f"versions of {name}"}[rest]
    return resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Ref"]


def tables(template: dict[str, Any]) -> str:
    """A section for each role and policy."""
    under = conditions(template)
    given = {**EVERYTHING, "BrokerArn": "the broker", "BrokerSecretArn": "its secret", "DeliverySource": "Stream"}
    lines: list[str] = []
    for name, resource in settled_template.settled(template, given)["Resources"].items():
        if resource["Type"] not in ROLES:
            continue
        rows = [_row(name, one, CONDITIONS[under[name, one["Sid"]]] if (name, one["Sid"]) in under else "") for one in statements(resource)]
        shared = resource["Properties"].get("ManagedPolicyArns")
        if rows:
            lines += [f"## `{name}`", "", *(["And what every function may: `FunctionPolicy`.", ""] if shared else [])]
            lines += ["| statement | calls | on | if | why |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join(lines) + "\n"


def _row(name: str, statement: dict[str, Any], condition: str) -> str:
    sid, action = statement["Sid"], statement["Action"]
    reason = REASONS.get(f"{name}.{sid}") or REASONS.get(sid)
    if not reason:
        raise SystemExit(f"{name}.{sid} has no reason: write one into REASONS of {Path(__file__).name}")
    calls = ", ".join(f"`{call}`" for call in (action if isinstance(action, list) else [action]))
    return f"| `{sid}` | {calls} | {_on(statement)} | {condition} | {reason} |"


def main() -> int:
    """Writes the page, or compares."""
    logging.disable(logging.WARNING)
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    wanted = head + BEGIN + "\n" + tables(settled_template.read(ROOT / "template.yaml")) + END + rest.partition(END)[2]
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(wanted)
        return 0
    is_so = page == wanted
    again = f"PYTHONPATH=local .local/tools/sam/bin/python {Path(__file__).relative_to(ROOT)} --write"
    say = "ok" if is_so else f"FAILED\n  write them anew: {again}"
    print(f"test the tables of docs/permissions.md are the template's ... {say}")
    print(f"test result: {'ok' if is_so else 'FAILED'}. {int(is_so)} passed; {int(not is_so)} failed;")
    return 0 if is_so else 1


if __name__ == "__main__":
    sys.exit(main())
