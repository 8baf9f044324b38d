"""Holds the crate's public items to the list beside it: what is added or taken away is seen. `--write` writes the list anew."""

from __future__ import annotations

import html
import re
import sys

from console import say
from paths import ROOT

PAGE = ROOT / "target" / "doc" / "sluicegate" / "all.html"
"""Written by `cargo doc`: every public item by its path."""
LIST = ROOT / "shared" / "public-items.txt"
KIND = re.compile(r'<h3 id="([a-z]+)">.*?</h3><ul class="all-items">(.*?)</ul>', re.DOTALL)


def found() -> str:
    """A line an item: its kind and its path."""
    kinds = KIND.findall(PAGE.read_text())
    items = [f"{kind.removesuffix('s')} {html.unescape(path)}" for kind, listed in kinds for path in re.findall(r">([^<]+)</a>", listed)]
    return "\n".join(sorted(items)) + "\n"


def main() -> int:
    """Says what differs."""
    now = found()
    if "--write" in sys.argv:
        LIST.write_text(now)
    before = set(LIST.read_text().splitlines())
    differences = [("+", item) for item in now.splitlines() if item not in before]
    differences += [("-", item) for item in sorted(before.difference(now.splitlines()))]
    for sign, item in differences:
        say(f"{sign} {item}")
    if differences:
        say("the crate's public items are not those of shared/public-items.txt; `cargo doc` and then")
        say("  PYTHONPATH=local python3 -m checks.surface --write")
        say("lists them anew, and CHANGELOG.md says what changed")
    say(f"test result: {'FAILED' if differences else 'ok'}. {int(not differences)} passed; {int(bool(differences))} failed;")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
