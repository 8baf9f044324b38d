"""Writes a built template as CloudFormation deploys it: conditions decided, what is absent gone.

checkov does not look into `Fn::If`, and leaves a whole role unread for one. Run by checkov's own Python, which has YAML:
`settled_template.py BUILT SETTLED [NAME=VALUE ...]`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ABSENT = {"Ref": "AWS::NoValue"}


class Conditions:
    """The template's conditions, under these parameters."""

    def __init__(self, template: dict[str, Any], given: dict[str, str]) -> None:
        self._written = template.get("Conditions", {})
        defaults = {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}
        unknown = given.keys() - defaults.keys()
        if unknown:
            raise SystemExit(f"the template has no parameter {', '.join(sorted(unknown))}")
        self._values = {**defaults, **given}

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


def settled(template: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """The template under these parameters and the others' defaults."""
    conditions = Conditions(template, given)
    kept = {**template}
    for part in ("Resources", "Outputs"):
        kept[part] = {
            name: {key: value for key, value in one.items() if key != "Condition"}
            for name, one in template[part].items()
            if "Condition" not in one or conditions.holds(one["Condition"])
        }
    del kept["Conditions"]
    return conditions.settle(kept)


def main() -> None:
    """Reads the command line, and writes the file."""
    source, target, *given = sys.argv[1:]
    template = yaml.safe_load(Path(source).read_text())
    parameters = dict(pair.split("=", 1) for pair in given)
    Path(target).write_text(yaml.safe_dump(settled(template, parameters), sort_keys=False, width=120))


if __name__ == "__main__":
    main()
