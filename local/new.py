"""Makes a function from a template: its folder by `cargo lambda new`, and its block in template.yaml: `make new`."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

import environment
import tools
from console import Failed, exit_code, run_logged, say
from paths import ROOT, STATE, shown

TEMPLATES = ROOT / "templates"
TEMPLATE = ROOT / "template.yaml"

LONGEST = 20
"""Characters of a name: with the longest stack name they are the 64 that a function's may have (docs/quotas.md)."""

LEAST = 2
"""The least that Lambda takes as a mapping's maximum concurrency."""


def new(function: str, trigger: str) -> None:
    """Makes it."""
    folder = ROOT / "functions" / function
    _check(folder, trigger)
    env = environment.for_cargo(tools.ensure("build"))
    made = ["cargo", "lambda", "new", function, "--no-interactive", "--template", TEMPLATES / trigger]
    run_logged(f"making {shown(folder)}", made, STATE / "new.log", env=env, cwd=folder.parent)
    block = folder / "block.yaml"
    before = TEMPLATE.read_text()
    TEMPLATE.write_text(with_block(before, parts(block.read_text())))
    block.unlink()
    # The lock file learns of the package.
    run_logged("adding it to Cargo.lock", ["cargo", "update", "--workspace", "--quiet"], STATE / "new-lock.log", env=env, cwd=ROOT)
    _write_anew()
    say(f"""
{shown(folder)}: what it does is in src/lib.rs, a typical event in events/, and what it is in template.yaml below "{function}:".

  make invoke FUNCTION={function} EVENT={shown(next((folder / "events").iterdir()))}
  make run
""")


def _check(folder: Path, trigger: str) -> None:
    triggers = sorted(path.name for path in TEMPLATES.iterdir())
    if trigger not in triggers:
        raise Failed(f"there is no trigger {trigger!r}: TRIGGER is one of {', '.join(triggers)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", folder.name) or len(folder.name) > LONGEST:
        raise Failed(f"{folder.name!r} is no name: lower-case words with hyphens between, {LONGEST} characters at the most")
    if folder.exists():
        raise Failed(f"{shown(folder)} is there already")


def parts(block: str) -> dict[str, str]:
    """The block's parts by their names."""
    found = re.split(r"(?m)^(\w+):\n", block)[1:]
    return dict(zip(found[::2], found[1::2]))


def with_block(template: str, block: dict[str, str]) -> str:
    """The template with the parts of a block where they belong."""
    template = _before(template, "    Errors: {Name: errors}\n", block["Names"])
    template = _before(template, "  # ---------------------------------------------------------------- alarms:", block["Resources"])
    for loop, name in re.findall(r"(?m)^  (\w+): (\w+)$", block["Loops"]):
        template = _once(rf"(  Fn::ForEach::{loop}:\n    - \w+\n    - \[[^\]]+)\]", rf"\1, {name}]", template)
    if "Type: SQS" in block["Resources"]:
        template = _once(r"(fresh-account: \{Jobs: )(\d+)", lambda found: found[1] + str(max(LEAST, int(found[2]) - LEAST)), template)
    return template.rstrip("\n") + "\n" + block["Outputs"].rstrip("\n") + "\n"


def _before(text: str, place: str, added: str) -> str:
    return _once(re.escape(place), lambda found: added + found[0], text)


def _once(pattern: str, by: str | Callable[[re.Match[str]], str], text: str) -> str:
    changed, count = re.subn(pattern, by, text)
    if count != 1:
        raise Failed(f"template.yaml: {pattern!r} is there {count} times")
    return changed


def _write_anew() -> None:
    """What is written from the template: the list of its resources, its alarms on the page of cost, the page of permissions."""
    sam = tools.ensure("sam") / "python"
    here = environment.for_sam(PYTHONPATH=f"{ROOT / 'local'}:{ROOT / 'local' / 'checks'}")
    for name in ("template_updates.py", "permissions_page.py"):
        written = subprocess.run([sam, ROOT / "local" / "checks" / name, "--write"], cwd=ROOT, env=here, capture_output=True, text=True)
        if written.returncode != 0:
            raise Failed(f"{written.stdout}{written.stderr}\n{name} could not be written anew")


def main() -> int:
    """Reads the command line and makes the function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True)
    parser.add_argument("--trigger", required=True)
    arguments = parser.parse_args()
    return exit_code(lambda: new(arguments.function, arguments.trigger) or 0)


if __name__ == "__main__":
    sys.exit(main())
