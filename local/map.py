"""Draws the map of the house in CONTRIBUTING.md from the code: rooms, and which uses which: `make map`; `--check` compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from console import say
from paths import ROOT

PAGE = ROOT / "CONTRIBUTING.md"
DRAWN = re.compile(r"(?s)(?<=<!-- make map -->\n)```mermaid\n.*?```\n")
DOORS = ("broker", "firehose", "notifications", "objects", "queue", "stream")
"""Modules of one kind are one room."""
LEAVES = ("clock", "error_chain", "preview", "random", "settings", "lib")
"""What anybody may use and what uses nobody."""


def room(module: str) -> str:
    """The room that a module of the crate is in."""
    return "doors" if module in DOORS else module


def code(file: Path) -> str:
    """A file without its tests, its comments and its documentation."""
    text = file.read_text().partition("#[cfg(test)]")[0]
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))


def uses() -> set[tuple[str, str]]:
    """Who uses whom, inside the crate."""
    source = ROOT / "shared" / "src"
    found = set()
    for file in source.rglob("*.rs"):
        parts = file.relative_to(source).with_suffix("").parts
        if "tests" in parts or "simulated" in parts:
            continue
        groups = re.findall(r"(?s)\bcrate::(?:\{(.*?)\n\}|(\w+))", code(file))
        modules = {name for group, name in groups for name in ([name] if name else re.findall(r"(?m)^    (\w+)(?=::|,)", group))}
        found |= {(room(parts[0]), room(module)) for module in modules}
    return {(user, used) for user, used in found if user != used and not {user, used} & set(LEAVES)}


def drawn() -> str:
    """The map, as GitHub draws it."""
    by_user: dict[str, list[str]] = {}
    for user, used in sorted(uses()):
        by_user.setdefault(user, []).append(used)
    lines = ["flowchart TD", "  functions & cli & simulation --> crate", "  simulation & tests --> functions", "  tests --> cli & bench"]
    lines += ["  subgraph crate [shared: the crate sluicegate]", "    doors[queue, stream, firehose, …]"]
    lines += [f"    {user} --> {' & '.join(used)}" for user, used in by_user.items()]
    return "```mermaid\n" + "\n".join([*lines, "  end"]) + "\n```\n"


def main() -> int:
    """Draws, or says that the map is not that of the code."""
    page = PAGE.read_text()
    now = DRAWN.sub(lambda _: drawn(), page)
    if "--check" not in sys.argv:
        PAGE.write_text(now)
        return 0
    is_same = now == page and DRAWN.search(page) is not None
    if not is_same:
        say("the map in CONTRIBUTING.md is not that of the code: `make map` draws it")
    say(f"test result: {'ok' if is_same else 'FAILED'}. {int(is_same)} passed; {int(not is_same)} failed;")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
