"""What shows that something went all the way: log lines, and what a route looks for in them."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping

from demo.function_log import Line


@dataclass(frozen=True)
class Proof:
    """That something arrived: what to show of it, and when it did."""

    text: str
    at: float


Check = Callable[[list[Line]], "Proof | None"]


@dataclass
class Route:
    """One way through the template: what was sent, and how to see it at the end."""

    name: str
    sent: str
    where_to_look: str
    check: Check
    started: float = field(default_factory=time.time)


def lines_of(lines: Iterable[Line], function: str, message: str) -> list[Line]:
    return [line for line in lines if line.function == function and line.message == message]


def one(function: str, message: str, fields: Mapping[str, Any], shown: Iterable[str], text: str = "") -> Check:
    """Looks for a line with this sentence and these fields, `text` somewhere in it."""

    def check(lines: list[Line]) -> Proof | None:
        for line in lines_of(lines, function, message):
            if all(same(line.get(name), value) for name, value in fields.items()) and line.has(text):
                return Proof(f"{message}: {shown_fields(line, shown)}", line.at)
        return None

    return check


def same(found: Any, expected: Any) -> bool:
    if isinstance(found, str) and isinstance(expected, str):
        return unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", expected)
    return found == expected


def shown_fields(line: Line, names: Iterable[str]) -> str:
    """The named fields, by the last part of their names: the table is narrow."""
    return " ".join(f"{name.rpartition('.')[2]}={line.get(name)}" for name in names)
