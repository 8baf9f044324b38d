"""Reads what the functions logged, through CloudWatch Logs as an operator would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Mapping


@dataclass(frozen=True)
class Line:
    """One JSON log line of a function."""

    function: str
    at: float
    """When it was written, in seconds since 1970."""
    fields: Mapping[str, Any]

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self.fields.get("message", ""))

    def get(self, field: str) -> Any:
        """The value of a field; names are dotted as they are written."""
        return self.fields.get(field)

    def has(self, text: str) -> bool:
        """Whether a field's text contains `text`."""
        return any(text in value for value in self.fields.values() if isinstance(value, str))


class FunctionLog:
    """The lines of several functions since a moment, in the order they were written."""

    def __init__(self, logs: Any, groups: Mapping[str, str], since: float) -> None:
        """`groups` maps each function's short name to its log group."""
        self._logs = logs
        self._groups = groups
        self._since = since

    def read(self) -> list[Line]:
        """All lines there are by now; a demo's few are read anew each time."""
        found = [line for function, group in self._groups.items() for line in self._lines(function, group)]
        # A stable sort: lines of one millisecond stay as they were written.
        return sorted(found, key=lambda line: line.at)

    def _lines(self, function: str, group: str) -> list[Line]:
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(self._since * 1000))
        parsed = (_parse(function, event["message"]) for page in pages for event in page["events"])
        return [line for line in parsed if line and line.at >= self._since]


def _parse(function: str, text: str) -> Line | None:
    """A function's own line; `None` for the platform's, which are not JSON here."""
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
        at = datetime.fromisoformat(fields["timestamp"].replace("Z", "+00:00")).timestamp()
    except (ValueError, KeyError, AttributeError):
        return None
    return Line(function, at, fields)
