"""What updates of a stack would do, computed: `template_updates.py`, or `--write` for the list of resources and the number of alarms anew.

Run by the SAM CLI's Python, which has its transform and cfn-lint's resource schemas.

CloudFormation makes the new resource before it deletes the old one. So a resource with a name of its own that must be replaced
under that name rolls the update back, and one that stays behind with what it holds is in the way when it is wanted again.
"""

from __future__ import annotations

import copy
import functools
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any, Iterator

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import settled_template
from template_security import EVERYTHING

ROOT = Path(__file__).resolve().parent.parent.parent

LIST = Path(__file__).with_name("template_resources.txt")
"""What the template makes, committed."""

COST = ROOT / "docs" / "cost.md"
"""The page that says what the alarms of a first deploy cost."""

CHANGES = {
    **EVERYTHING,
    "BucketPrefix": "another", "Stage": "prod", "Architecture": "x86_64", "DeliverySource": "Stream", "EnableAlarms": "false",
    "MetricsNamespace": "off", "PollerState": "DISABLED", "Scale": "provisioned", "BrokerVirtualHost": "/", "BrokerQueueName": "orders",
    "DeliveryDropWhen": "level=DEBUG", "LargeObjectBytes": "1", "LogRetentionDays": "1", "EnableDrills": "true", "LogLevel": "DEBUG",
}
"""Another value of each parameter."""

DATA = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Kinesis::Stream", "AWS::SNS::Topic", "AWS::KMS::Key")
"""What is lost, or left behind, with a resource of these types."""

KNOWN = {
    ("UploadBucket", "BucketPrefix"): "the parameter says to set it before the first deploy; the old bucket stays, with what is in it",
    ("UploadBucket", "Stage"): "another stage is another installation; the old bucket stays, with what is in it",
    ("Stream", "EnableStreams"): "the parameter says that what the stream holds is gone",
    ("EncryptionKey", "Encryption"): "the key stays, and the parameter says how to leave it",
    ("AlarmTopic", "EnableAlarms"): "a topic holds nothing; who wants alarms again subscribes again",
    ("StreamDeadLetterQueue", "EnableStreams"): "its letters say where in the stream a record is, and the stream is gone too",
    ("DeliveryBucket", "EnableStreams"): "the bucket stays, with what is in it, and the next one gets another name",
}
"""What is replaced or taken away with what it holds, by the parameter that does it, and why that is so."""


class Stack:
    """The template's resources under some parameters, as CloudFormation gets them from the transforms."""

    def __init__(self, template: dict[str, Any], given: dict[str, str]) -> None:
        self._values = {**settled_template.HERE, **settled_template.values(template, given)}
        settled = settled_template.settled(copy.deepcopy(template), given)
        settled["Transform"] = "AWS::Serverless-2016-10-31"
        for resource in settled["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://code/zip"
        settled["Globals"]["Function"].pop("CodeUri")
        translated = Translator({}, Parser()).translate(settled, dict(self._values))
        self.resources: dict[str, dict[str, Any]] = translated["Resources"]

    def value(self, node: Any) -> Any:
        """`node` with parameters put in; references to resources stay."""
        if isinstance(node, dict):
            if "Ref" in node:
                return self._values.get(node["Ref"], node)
            if isinstance(node.get("Fn::Sub"), str):
                return self._text(node["Fn::Sub"], {})
            if isinstance(node.get("Fn::Sub"), list):
                return self._text(node["Fn::Sub"][0], {name: self.value(value) for name, value in node["Fn::Sub"][1].items()})
            return {key: self.value(value) for key, value in node.items()}
        return [self.value(item) for item in node] if isinstance(node, list) else node

    def _text(self, text: str, own: dict[str, Any]) -> str:
        for name, value in {**self._values, **own}.items():
            text = text.replace(f"${{{name}}}", str(value))
        return text

    @functools.cache
    def fixed(self, logical_id: str) -> dict[str, Any]:
        """The properties that no update can change."""
        resource = self.resources[logical_id]
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        paths = [path.removeprefix("/properties/").split("/") for path in schema.get("createOnlyProperties", [])]
        found = {"/".join(path): _at(self.value(resource.get("Properties", {})), path) for path in paths}
        return {path: value for path, value in found.items() if value is not None}

    def name(self, logical_id: str) -> str | None:
        """The name the template gives to a resource."""
        names = [value for path, value in self.fixed(logical_id).items() if path.endswith("Name") and isinstance(value, str)]
        return names[0] if names else None


def _at(node: Any, path: list[str]) -> Any:
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _mentions(node: Any, logical_ids: set[str]) -> bool:
    text = json.dumps(node)
    return any(f'"{name}"' in text or f"${{{name}}}" in text or f"${{{name}." in text for name in logical_ids)


def replaced(before: Stack, after: Stack) -> set[str]:
    """The resources that an update makes anew: their own fixed properties change, or refer to what is made anew."""
    both = before.resources.keys() & after.resources.keys()
    anew = {one for one in both if before.fixed(one) != after.fixed(one)}
    while True:
        more = {one for one in both - anew if _mentions(list(after.fixed(one).values()), anew)}
        if not more:
            return anew
        anew |= more


def refused(before: Stack, after: Stack) -> Iterator[tuple[str, str]]:
    """What rolls this update back, or the one that changes it back: the resource, and a sentence."""
    gone = {one: before.resources[one] for one in before.resources.keys() - after.resources.keys()}
    for one in sorted(before.resources.keys() & after.resources.keys()):
        if before.resources[one]["Type"] != after.resources[one]["Type"]:
            yield one, "its type changes, which CloudFormation refuses"
    for one in sorted(replaced(before, after)):
        if after.name(one) and after.name(one) == before.name(one):
            yield one, f"it is made anew under the name {after.name(one)}, which is taken"
    # A name that moves to another logical id is taken until the old one is deleted, which is last.
    names = {(resource["Type"], before.name(one)): one for one, resource in gone.items() if before.name(one)}
    for one in sorted(after.resources.keys() - before.resources.keys()):
        if old := names.get((after.resources[one]["Type"], after.name(one))):
            yield one, f"its name {after.name(one)} is still {old}'s"
    for one, resource in sorted(gone.items()):
        stays = resource.get("DeletionPolicy", "Delete") != "Delete" or resource["Type"] == "AWS::S3::Bucket"
        if stays and before.name(one):
            yield one, f"it stays behind under the name {before.name(one)}, which is taken when it is wanted again"


def lost(before: Stack, after: Stack) -> set[str]:
    """What goes, or stays behind, with what it holds."""
    gone = before.resources.keys() - after.resources.keys()
    return {one for one in replaced(before, after) | gone if before.resources[one]["Type"] in DATA}


def updates(template: dict[str, Any]) -> Iterator[tuple[str, Stack, Stack]]:
    """Each parameter changed, alone and among everything that is off by default, and changed back."""
    off, on = Stack(template, {}), Stack(template, EVERYTHING)
    defaults = settled_template.values(template, {})
    for parameter, value in sorted(CHANGES.items()):
        alone = Stack(template, {parameter: value})
        yield parameter, off, alone
        yield parameter, alone, off
        other = Stack(template, {**EVERYTHING, parameter: defaults[parameter] if parameter in EVERYTHING else value})
        yield parameter, on, other
        yield parameter, other, on
    streams = {"EnableStreams": "true"}
    yield "EnableStreams", Stack(template, {**streams, "DeliverySource": "Stream"}), Stack(template, {"DeliverySource": "Stream"})
    key, leaving = Stack(template, {**EVERYTHING, "Encryption": "key"}), Stack(template, {**EVERYTHING, "Encryption": "leaving-key"})
    yield "Encryption", key, leaving
    yield "Encryption", leaving, Stack(template, {**EVERYTHING, "Encryption": "managed"})


def test_updates(template: dict[str, Any]) -> list[str]:
    """Every update goes through, and loses nothing but what is known and said."""
    wrong, found = set(), set()
    for parameter, before, after in updates(template):
        wrong |= {f"{parameter} changed: {one}: {sentence}" for one, sentence in refused(before, after)}
        found |= {(one, parameter) for one in lost(before, after)}
    wrong |= {f"{parameter} changed: {one} is made anew or gone, with what it holds" for one, parameter in found - KNOWN.keys()}
    return sorted(wrong) + [f"{one} is known for {parameter}, and nothing happens to it" for one, parameter in KNOWN.keys() - found]


def test_parameters(template: dict[str, Any]) -> list[str]:
    """Every parameter is changed by some update."""
    return [f"no update changes {name}: name another value of it in CHANGES" for name in template["Parameters"] if name not in CHANGES]


def resources(template: dict[str, Any]) -> list[str]:
    """What the template makes with everything on: logical ids with their types."""
    made = settled_template.settled(copy.deepcopy(template), EVERYTHING)["Resources"]
    return sorted(f"{name} {one['Type']}" for name, one in made.items())


def test_resources(template: dict[str, Any]) -> list[str]:
    """The loops make what the committed list names: a logical id that changes is a resource made anew."""
    made, listed = set(resources(template)), set(LIST.read_text().splitlines())
    if made == listed:
        return []
    again = f"PYTHONPATH=local .local/tools/sam/bin/python {Path(__file__).relative_to(ROOT)} --write"
    gone, new = sorted(listed - made), sorted(made - listed)
    return [f"gone: {', '.join(gone) or 'nothing'}", f"new: {', '.join(new) or 'nothing'}", f"if it is meant, write {LIST.name} anew: {again}"]


def with_alarms(page: str, template: dict[str, Any]) -> str:
    """The page of cost, with as many alarms as a first deploy has."""
    made = settled_template.settled(copy.deepcopy(template), {})["Resources"].values()
    alarms = sum(one["Type"] == "AWS::CloudWatch::Alarm" for one in made)
    return re.sub(r"\| \d+ alarms at 0\.10 \| [\d.]+ \|", f"| {alarms} alarms at 0.10 | {alarms / 10:.2f} |", page)


def main() -> int:
    """Runs the tests, and ends as cargo's do."""
    # The transform warns of counts that it would send to its makers.
    logging.disable(logging.WARNING)
    template = settled_template.read(ROOT / "template.yaml")
    if sys.argv[1:] == ["--write"]:
        LIST.write_text("\n".join(resources(template)) + "\n")
        COST.write_text(with_alarms(COST.read_text(), template))
        return 0
    failed = 0
    tests = (test_resources, test_parameters, test_updates)
    for test in tests:
        wrong = test(template)
        print(f"test {test.__name__.removeprefix('test_')} of the template ... {'FAILED' if wrong else 'ok'}", *wrong, sep="\n  ")
        failed += bool(wrong)
    print(f"test result: {'FAILED' if failed else 'ok'}. {len(tests) - failed} passed; {failed} failed;")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
