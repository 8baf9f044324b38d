"""Writes a template as CloudFormation deploys it: loops unrolled, conditions decided, what is absent gone.

checkov does not look into `Fn::ForEach` and `Fn::If`, and leaves a whole role unread for one. Run by the Python of the SAM CLI, whose
own code unrolls: `settled_template.py BUILT SETTLED [NAME=VALUE ...]`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from samcli.lib.cfn_language_extensions.sam_integration import expand_language_extensions
from samcli.yamlhelper import yaml_parse

ABSENT = {"Ref": "AWS::NoValue"}

HERE = {
    "AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
"""Where the template is thought to be deployed."""


class Conditions:
    """The template's conditions, under these parameters."""

    def __init__(self, template: dict[str, Any], values: dict[str, str]) -> None:
        self._written = template.get("Conditions", {})
        self._values = values

    def holds(self, name: str) -> bool:
        """Whether the condition of this name does."""
        return self._is_true(self._written[name])

    def settle(self, node: Any) -> Any:
        """`node` without `Fn::If` and without what is absent."""
        if isinstance(node, dict):
            if "Fn::If" in node:
                condition, then, otherwise = node["Fn::If"]
                return self.settle(then if self.holds(condition) else otherwise)
            settled = {key: self.settle(value) for key, value in node.items()}
            return {key: value for key, value in settled.items() if value != ABSENT}
        if isinstance(node, list):
            return [value for value in map(self.settle, node) if value != ABSENT]
        return node

    def _is_true(self, expression: dict[str, Any]) -> bool:
        (function, operands), = expression.items()
        if function == "Condition":
            return self.holds(operands)
        if function == "Fn::Equals":
            return self._value(operands[0]) == self._value(operands[1])
        answers = [self._is_true(operand) for operand in operands]
        return {"Fn::Not": lambda: not answers[0], "Fn::And": lambda: all(answers), "Fn::Or": lambda: any(answers)}[function]()

    def _value(self, operand: Any) -> str:
        if isinstance(operand, dict):
            # A list joined with nothing between, to see whether it is empty; otherwise a parameter.
            return self._value(operand["Fn::Join"][1]) if "Fn::Join" in operand else self._values[operand["Ref"]]
        return str(operand)


def read(source: Path) -> dict[str, Any]:
    """A template as it is written, or as `sam build` wrote it."""
    return yaml_parse(source.read_text())


def values(template: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Every parameter's value: what is given, else its default."""
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}
    unknown = given.keys() - defaults.keys()
    if unknown:
        raise SystemExit(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {**defaults, **given}


def settled(template: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """The template under these parameters and the others' defaults."""
    parameters = values(template, given)
    unrolled = expand_language_extensions(template, {**HERE, **parameters}, enabled=True).expanded_template
    conditions = Conditions(unrolled, parameters)
    kept = {**unrolled}
    for part in ("Resources", "Outputs"):
        kept[part] = {
            name: {key: value for key, value in one.items() if key != "Condition"}
            for name, one in unrolled[part].items()
            if "Condition" not in one or conditions.holds(one["Condition"])
        }
    del kept["Conditions"]
    return conditions.settle(kept)


class Whole(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> None:
    """Reads the command line, and writes the file."""
    source, target, *given = sys.argv[1:]
    parameters = dict(pair.split("=", 1) for pair in given)
    as_deployed = settled(read(Path(source)), parameters)
    as_deployed["Transform"] = "AWS::Serverless-2016-10-31"
    Path(target).write_text(yaml.dump(as_deployed, Dumper=Whole, sort_keys=False, width=120))


if __name__ == "__main__":
    main()
